/** What a server has reached: every step by what the router can tell, and what to try next. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { luci, recorder } from './luci.ts';

type Any = any;
type Steps = Record<'listening' | 'users' | 'reachable' | 'caller', readonly [string, string]>;

const server = { name: 'vpn', state: 'listening', port: 1723, local_address: '192.168.99.1' };
const upstream = { interface: 'wan', address: '203.0.113.1' };
const user = { '.type': 'user', '.name': 'u', username: 'anna' };
const last = { time: 1, username: 'anna', peer: '198.51.100.2' };

function steps(
  status: object = {},
  {
    through = upstream as Any,
    failures = [] as object[],
    users = { u: user } as Any,
    network = {} as Any,
    redirects = {} as Any,
  } = {},
): Steps {
  const router = luci({ form: recorder().form });
  router.uci['pptp_users'] = users;
  router.uci['network'] = { vpn: { '.type': 'interface', '.name': 'vpn', ...network } };
  router.uci['firewall'] = redirects;
  return router.module('pptp-gateway.progress').steps({ ...server, ...status }, through, failures);
}
const states = (found: Steps): string =>
  Object.values(found)
    .map(([state]) => state)
    .join(' ');

test('a new server: all but the first caller, and what to try', () => {
  const found = steps();
  assert.equal(states(found), 'ok ok ok open');
  assert.match(found.listening[1], /TCP port 1723/);
  assert.match(found.reachable[1], /203\.0\.113\.1 is public/);
  assert.match(found.caller[1], /Call 203\.0\.113\.1 from outside.* ping 192\.168\.99\.1/);
});

test('the first caller proves the rest, as far as the call came from outside', () => {
  const found = steps({ last_caller: last });
  assert.equal(states(found), 'ok ok ok ok');
  assert.match(found.reachable[1], /from 198\.51\.100\.2 has come through/);
  assert.match(found.caller[1], /^anna from 198\.51\.100\.2/);
  const fromLan = steps(
    { last_caller: { ...last, peer: '192.168.1.7' } },
    { through: { ...upstream, address: '10.0.0.2' } },
  );
  assert.equal(states(fromLan), 'ok ok failed ok');
});

describe('what is in the way', () => {
  test('it does not listen', () => {
    const cause = { code: 'PORT_IN_USE' };
    assert.match(steps({ state: 'failed', cause }).listening.join(' '), /^failed Another program/);
    assert.equal(
      steps({ state: 'waiting', cause: { code: 'INTERFACE_DOWN' } }).listening[0],
      'open',
    );
  });

  test('nobody may call', () => {
    assert.equal(steps({}, { users: {} }).users[0], 'failed');
    assert.equal(steps({}, { users: { u: { ...user, enabled: '0' } } }).users[0], 'failed');
    assert.equal(steps({}, { users: { u: { ...user, server: ['other'] } } }).users[0], 'failed');
    assert.equal(steps({}, { users: {}, network: { accounts: ['radius'] } }).users[0], 'ok');
  });

  test('nobody can reach it', () => {
    for (const address of ['192.168.178.20', '100.64.1.2', '10.0.0.2'])
      assert.match(
        steps({}, { through: { ...upstream, address } }).reachable.join(' '),
        /^failed .*is private/,
      );
    for (const through of [null, { interface: 'wan', address: null }])
      assert.match(
        steps({}, { through }).reachable.join(' '),
        /^failed .*no connection to the Internet/,
      );
    assert.equal(steps({}, { network: { open_firewall: '0' } }).reachable[0], 'open');
    const redirect = {
      '.type': 'redirect',
      '.name': 'r',
      name: 'old',
      src: 'wan',
      src_dport: '1723',
      dest_ip: '192.168.1.9',
    };
    assert.match(
      steps({}, { redirects: { r: redirect } }).reachable.join(' '),
      /^failed The firewall rule "old" forwards TCP port 1723 to 192\.168\.1\.9/,
    );
  });

  test('a call that did not succeed says why', () => {
    const failure = {
      kind: 'server',
      name: 'vpn',
      peer: '198.51.100.2',
      cause: { code: 'PEER_AUTH_FAILED' },
    };
    assert.match(
      steps({}, { failures: [failure] }).caller.join(' '),
      /^failed A call from 198\.51\.100\.2 did not succeed: The caller gave a wrong/,
    );
    assert.equal(steps({}, { failures: [{ ...failure, kind: 'link' }] }).caller[0], 'open');
  });
});

test('where all is well it is one line', () => {
  const router = luci({ form: recorder().form });
  router.uci['pptp_users'] = { u: user };
  router.uci['network'] = { vpn: {} };
  const progress = router.module('pptp-gateway.progress');
  assert.equal(progress.render({ ...server, last_caller: last }, upstream, []).tagName, 'P');
  assert.equal(progress.render(server, upstream, []).querySelectorAll('li').length, 4);
});
