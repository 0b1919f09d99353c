import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseConfiguration } from '../../../src/daemon/configuration/configuration.ts';
import { parseAddress, parsePrefix } from '../../../src/wire/ip.ts';
import { complete, plain, refusal, warnings } from './parsed.ts';

const relay = (lines: string, name = 'branch') => `config relay '${name}'\n${lines}\n`;
const outbound = "option src 'lan'\noption dest 'wan'\n";
const inbound =
  "option direction 'inbound'\noption src 'wan'\noption dest 'lan'\noption dest_ip '192.168.1.10'\n";
const server = (lines: string) => `config interface 'home'\n${complete.server}${lines}\n`;

describe('relays', () => {
  it('need a source and a destination, everything else has a default', () => {
    assert.deepEqual(parseConfiguration({ pptp: relay(outbound) }).relays.map(plain), [
      {
        name: 'branch',
        direction: 'outbound',
        src: ['lan'],
        dest: ['wan'],
        server: undefined,
        backend: 'auto',
        clients: [],
        servers: [],
        maxConnections: 64,
        maxPerClient: 8,
        maxHalfOpen: 16,
        idleTimeout: 600_000,
      },
    ]);
    const faults = refusal({ pptp: relay('') });
    assert.equal(faults.length, 2);
    assert.match(faults[0]!, /section 'branch', option 'src': is required/);
    assert.match(faults[1]!, /option 'dest': is required/);
  });

  it('have every option', () => {
    const lines =
      "list src 'lan'\nlist src 'ppp+'\noption dest 'wan'\noption backend 'helper'\nlist client '192.168.1.0/24'\nlist server '203.0.113.1'\noption max_connections 5\noption max_per_client 2\noption max_half_open 1\noption idle_timeout 0\n";
    const [found] = parseConfiguration({ pptp: relay(lines) }).relays;
    assert.deepEqual(plain(found!), {
      name: 'branch',
      direction: 'outbound',
      src: ['lan', 'ppp+'],
      dest: ['wan'],
      server: undefined,
      backend: 'helper',
      clients: [parsePrefix('192.168.1.0/24')],
      servers: [parsePrefix('203.0.113.1')],
      maxConnections: 5,
      maxPerClient: 2,
      maxHalfOpen: 1,
      idleTimeout: 0,
    });
    assert.equal(
      parseConfiguration({ pptp: relay(inbound) }).relays[0]?.server,
      parseAddress('192.168.1.10'),
    );
  });

  it('that are switched off may be half written', () => {
    assert.deepEqual(
      parseConfiguration({ pptp: relay("option enabled '0'\noption backend 'no'") }).relays,
      [],
    );
  });

  it('live beside the globals, which know no other section', () => {
    assert.match(warnings({ pptp: "config rely 'x'\n" })[0]!, /known: pptp, relay/);
  });

  it('have options that belong to one direction', () => {
    const only = (lines: string) => refusal({ pptp: relay(lines) }).join('\n');
    assert.match(
      only(outbound + "option dest_ip '192.168.1.10'"),
      /option 'dest_ip'.*belongs to direction inbound/,
    );
    assert.match(
      only(inbound + "list server '192.168.1.10'"),
      /option 'server'.*belongs to direction outbound/,
    );
    assert.match(only(inbound.replace(/option dest_ip.*\n/, '')), /option 'dest_ip': is required/);
    assert.match(
      only("option src 'lan'\noption dest 'lan'\n"),
      /option 'dest', value 'lan': is in src too/,
    );
    assert.match(
      only("option src 'lan\"; drop'\noption dest 'wan'\n"),
      /option 'src'.*expected the name of a firewall zone/,
    );
  });

  it('that take the same connections are refused', () => {
    const other = (lines: string) => refusal({ pptp: relay(outbound) + relay(lines, 'other') })[0];
    assert.match(
      other(outbound)!,
      /section 'other', option 'src', value 'lan': relay 'branch' takes the same connections/,
    );
    const apart = outbound + "list client '10.0.0.0/8'\n";
    const pptp = relay(apart) + relay(outbound + "list client '192.168.0.0/16'\n", 'other');
    assert.equal(parseConfiguration({ pptp }).relays.length, 2);
    assert.match(other(apart)!, /takes the same connections/);
    assert.equal(
      parseConfiguration({ pptp: relay(outbound) + relay(inbound, 'in') }).relays.length,
      2,
    );
  });

  it('and servers share port 1723 by network: what both want is refused', () => {
    const together = (lines: string, kind = inbound) => ({
      network: server(lines),
      pptp: relay(kind),
    });
    assert.match(
      refusal(together(''))[0]!,
      /server 'home' takes calls from everywhere, also from there: give it an option listen/,
    );
    assert.match(
      refusal(together("list listen 'wan'"))[0]!,
      /server 'home' takes the calls from there/,
    );
    for (const lines of ["list listen 'lan'", 'option port 1724'])
      assert.equal(parseConfiguration(together(lines)).relays.length, 1);
    assert.equal(parseConfiguration(together('', outbound)).relays.length, 1);
  });
});
