/** RADIUS sections: what belongs together in one, and what a server with `accounts` needs. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfiguration } from '../../../src/daemon/configuration/configuration.ts';
import { complete, files, refusal, warnings } from './parsed.ts';

const radius = (...options: readonly string[]) =>
  files('radius', options.join('\n'), ['server', 'secret']);
const server = "option server '192.0.2.1'";

test('udp needs a secret, tls has certificates', () => {
  assert.match(refusal(radius(server))[0]!, /option 'secret': is required/);
  const tls = parseConfiguration(radius(server, "option transport 'tls'")).radius[0]!;
  assert.deepEqual(tls.secret.octets, new TextEncoder().encode('radsec'));
  assert.deepEqual(tls.transport, {
    kind: 'tls',
    port: 2083,
    ca: undefined,
    own: undefined,
    peerName: '192.0.2.1',
  });
  assert.match(
    refusal(radius(server, "option secret 'x'", "option ca '/etc/ca.pem'"))[0]!,
    /option 'ca'.*belongs to transport tls/,
  );
});

test('certificate and key come together', () => {
  const tls = "option transport 'tls'";
  assert.match(
    refusal(radius(server, tls, "option certificate '/etc/own.pem'"))[0]!,
    /option 'key': is required: certificate and key belong together/,
  );
  assert.match(
    refusal(radius(server, tls, "option key '/etc/own.key'"))[0]!,
    /option 'certificate': is required/,
  );
});

test('who may end sessions has an address', () => {
  const named = radius("option server 'radius.example.com'", "option secret 'x'", "option coa '1'");
  assert.match(refusal(named)[0]!, /option 'coa'.*a name can be forged/);
});

test('a server that asks RADIUS is warned where there is none for logins', () => {
  const network = `config interface 'home'\n${complete.server}\nlist accounts 'radius'\n`;
  const none = /section 'home', option 'accounts'.*there is no RADIUS server for logins/;
  assert.match(warnings({ network }).join('\n'), none);
  const acct = radius(server, "option secret 'x'", "list role 'acct'");
  assert.match(warnings({ network, ...acct }).join('\n'), none);
  assert.deepEqual(warnings({ network, ...files('radius') }), []);
});

test('there is one section of us', () => {
  const text = "config nas 'nas'\nconfig nas 'again'\n";
  assert.match(
    refusal({ pptp_radius: text })[0]!,
    /section 'again'.*expected one section of type 'nas'; there is 'nas' already/,
  );
});

test('what is half written and switched off is ignored; a section with faults stays as it was', () => {
  assert.deepEqual(parseConfiguration(radius("option enabled '0'")).radius, []);
  const before = parseConfiguration(files('radius'));
  const after = parseConfiguration(radius(server), { before, leaveOut: true });
  assert.deepEqual(after.radius, before.radius);
  assert.equal(after.faults[0]?.isKept, true);
});
