/** Each fault says where it stands: path, line, and the section by the name that its owner gave it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfiguration } from '../../../src/daemon/configuration/configuration.ts';
import { ConfigError, describeProblem } from '../../../src/daemon/configuration/problems.ts';
import { complete, type Files } from './parsed.ts';

function faults(texts: Files): string[] {
  try {
    const { warnings } = parseConfiguration(texts, { folder: '/etc/config' });
    return warnings.map(describeProblem);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return [...error.problems, ...error.warnings].map(describeProblem);
  }
}

test('path and line of the option, of the item of a list, of the section where it is missing', () => {
  const network = `# a comment
config interface 'lan'
	option proto 'static'

config interface 'home'
	option proto 'pptpserver'
	option network '192.168.99.0/24'
	list allow_from '10.0.0.0/8'
	list allow_from '10.0.0.0/99'
	list allow_from '10.2.0.0/16'
	option mtu \\
		'1'
	list client_dns '192.168.1.1 x'
`;
  assert.deepEqual(faults({ network }), [
    "/etc/config/network:11, interface 'home', option 'mtu', value '1': expected a whole number from 576 to 1500 (octets)",
    "/etc/config/network:5, interface 'home', option 'localip': is required: expected an IPv4 address",
    "/etc/config/network:13, interface 'home', option 'client_dns', value '192.168.1.1 x': expected an IPv4 address",
    "/etc/config/network:9, interface 'home', option 'allow_from', value '10.0.0.0/99': expected a network such as 10.1.0.0/16",
  ]);
  assert.deepEqual(faults({ network: "config interface 'a'\n\toption x 'y\n" }), [
    "/etc/config/network:2: a quote (') is not closed",
  ]);
});

test('sections without a name are called by what their owner wrote', () => {
  const user = (name: string, ...lines: string[]) =>
    `config user\n\toption username '${name}'\n\toption password '${name}1'\n${lines.map((line) => `\t${line}\n`).join('')}`;
  assert.deepEqual(faults({ pptp_users: user('branch1', "option ipaddr '1.2.3'") }), [
    "/etc/config/pptp_users:4, user 'branch1', option 'ipaddr', value '1.2.3': expected an IPv4 address",
  ]);
  const fixed = "option ipaddr '10.0.0.7'";
  assert.deepEqual(
    faults({ pptp_users: user('branch1', fixed) + user('branch2', fixed) }).slice(0, 1),
    [
      "/etc/config/pptp_users:8, user 'branch2', option 'ipaddr', value '10.0.0.7': is also the address of user 'branch1' (line 1)",
    ],
  );
  assert.deepEqual(faults({ pptp_users: user('anna') + user('anna') }).slice(0, 1), [
    "/etc/config/pptp_users:5, user 'anna', option 'username', value 'anna': is also the name of user 'anna' (line 1)",
  ]);
  assert.deepEqual(faults({ pptp: "config relay\n\toption direction 'x'\n" }), [
    "/etc/config/pptp:2, relay, option 'direction', value 'x': expected outbound | inbound",
  ]);
  assert.deepEqual(faults({ pptp: 'config pptp\nconfig pptp\n' }), [
    "/etc/config/pptp:2, pptp: expected one section of type 'pptp'; there is pptp (line 1) already",
  ]);
  const all = faults({ pptp_users: user('a') + user('b', fixed) + 'config user\n' + 'config x\n' });
  assert.ok(!all.join().includes('@'), all.join('\n'));
});

test('what is known of a section goes along for those who show it otherwise', () => {
  const { warnings } = parseConfiguration({
    network: `config interface 'home'\n${complete.server}list client_dns ''\noption x 'y'\n`,
    pptp_users: `config user 'u7'\n${complete.user}option x 'y'\n`,
  });
  assert.deepEqual(
    warnings.map(({ line, kind, username }) => [line, kind, username]),
    [
      [6, 'server', undefined],
      [5, 'server', undefined],
      [4, undefined, 'anna'],
    ],
  );
});
