import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseTracked, readTracked } from '../../src/router/conntrack.ts';
import { parseAddress } from '../../src/wire/ip.ts';

const client = parseAddress('192.168.1.10')!;
const server = parseAddress('203.0.113.1')!;
const control =
  'ipv4     2 tcp      6 431988 ESTABLISHED src=192.168.1.10 dst=203.0.113.1 sport=34886 dport=1723 packets=7 bytes=700 src=203.0.113.1 dst=203.0.113.2 sport=1723 dport=34886 packets=6 bytes=600 [ASSURED] mark=0 zone=0 use=2\n';
const gre =
  'ipv4     2 gre      47 17998 timeout=600, stream_timeout=18000 src=192.168.1.10 dst=203.0.113.1 srckey=0x1 dstkey=0x80 packets=5 bytes=500 src=203.0.113.1 dst=203.0.113.2 srckey=0x80 dstkey=0x8846 packets=4 bytes=400 [ASSURED] mark=0 zone=0 use=2\n';

describe('PPTP that the kernel tracks', () => {
  it('is control connections and the calls that belong to them', () => {
    assert.deepEqual(parseTracked(control + gre), {
      connections: [{ client, server, realServer: server }],
      calls: [
        {
          client,
          server,
          realServer: server,
          clientCallId: 1,
          serverCallId: 0x80,
          traffic: { rxPackets: 5, rxOctets: 500, txPackets: 4, txOctets: 400 },
        },
      ],
    });
  });

  it('is found when the server sent first, and without counters', () => {
    const other =
      'ipv4     2 gre      47 17998 timeout=600, stream_timeout=18000 src=203.0.113.1 dst=203.0.113.2 srckey=0x80 dstkey=0x8846 src=192.168.1.10 dst=203.0.113.1 srckey=0x1 dstkey=0x80 mark=0 use=2\n';
    const [call] = parseTracked(control + other).calls;
    assert.deepEqual(
      [call?.client, call?.clientCallId, call?.serverCallId, call?.traffic],
      [client, 1, 0x80, undefined],
    );
  });

  it('is not what belongs to no control connection, nor anything else', () => {
    assert.deepEqual(parseTracked(gre), { connections: [], calls: [] });
    const others =
      control.replace('dport=1723', 'dport=80') + control.replace('ESTABLISHED', 'SYN_SENT');
    assert.deepEqual(parseTracked(`${others}rubbish\n tcp 6 src=\n gre 47 \n`), {
      connections: [],
      calls: [],
    });
  });

  it('has the real server behind a turned connection', () => {
    const turned =
      'ipv4     2 tcp      6 431988 ESTABLISHED src=198.51.100.7 dst=203.0.113.2 sport=34886 dport=1723 src=192.168.1.10 dst=198.51.100.7 sport=1723 dport=34886 [ASSURED] mark=0 use=2\n';
    const [connection] = parseTracked(turned).connections;
    assert.equal(connection?.realServer, client);
  });

  it('is asked of a file that may be absent', async () => {
    await assert.rejects(readTracked('/nonexistent'), /ENOENT/);
  });
});
