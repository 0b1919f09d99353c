/** Callers who mean harm, in others' names too, do none to another session. Whatever else may come: the harness data-path. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parsePrefix } from '../../src/wire/ip.ts';
import { encodePppFrame, PppProtocol } from '../../src/wire/ppp-frame.ts';
import { octets } from '../crypto/hex.ts';
import { MPPE_MS_CHAP_V2 } from '../vectors/ms-chap.ts';
import {
  CALLER,
  CLIENT,
  CLIENT_TUN,
  connect,
  greToServer,
  SERVER,
  SERVER_TUN,
  type Pair,
} from './end.ts';
import { MppeTwinSender } from './mppe/twin.ts';
import { address, tagged, tagOf } from './packets.ts';

const KEY = octets(MPPE_MS_CHAP_V2[2].startKey);
const EVIL_CALL = 50;
const EVIL = '192.168.99.66';

/** The server with a good caller (slot 0) and one that means harm (slot 1), who shares its outer address. */
function besieged(stateful: boolean): { pair: Pair; evil: number } {
  const pair = connect();
  const { server, client } = pair;
  const keys = { strength: 128, stateful, startKey: KEY } as const;
  client.path.calls.setMppe(pair.clientSlot, 'send', keys);
  server.path.calls.setMppe(pair.serverSlot, 'receive', keys);
  server.path.calls.setMppe(pair.serverSlot, 'send', keys);
  client.path.calls.setMppe(pair.clientSlot, 'receive', keys);
  server.path.calls.requireEncryption(pair.serverSlot, true);
  const evil = server.path.calls.open(CLIENT, SERVER, EVIL_CALL, 0);
  server.path.calls.connect(evil, 51);
  server.path.devices.attach(evil, SERVER_TUN, {
    localAddress: address('192.168.99.1'),
    peerAddress: address(EVIL),
    prefixes: [parsePrefix('10.66.0.0/16')!],
  });
  return { pair, evil };
}

test('forged packets with the right call id and address do not end an encrypted stateless session', () => {
  const forgery = fc.record({
    ahead: fc.integer({ min: -50, max: 3000 }),
    count: fc.nat(4095),
    rest: fc.uint8Array({ maxLength: 60 }),
  });
  fc.assert(
    fc.property(fc.array(forgery, { maxLength: 60 }), (forgeries) => {
      const { pair } = besieged(false);
      const { server } = pair;
      const twin = new MppeTwinSender({ startKey: KEY, bits: 128, stateful: false });
      let sequence = 100;
      const send = (tag: number, now: number) => {
        const inner = Uint8Array.from([0, 0x21, ...tagged(CALLER, '8.8.8.8', tag)]);
        server.gre(
          greToServer(sequence++, encodePppFrame(PppProtocol.Compressed, twin.encrypt(inner))),
          now,
        );
      };
      let now = 0;
      for (const { ahead, count, rest } of forgeries) {
        send(1, now);
        const payload = Uint8Array.from([0x90 | (count >> 8), count & 0xff, ...rest]);
        server.gre(
          greToServer((sequence + ahead) >>> 0, encodePppFrame(PppProtocol.Compressed, payload)),
          now,
        );
        now += 500;
      }
      // A forged number may push the window ahead: the peer is believed again after a few packets. And it may take the
      // place of a packet to come.
      server.takeDelivered();
      for (let n = 0; n < 100; n++) send(n, now);
      assert.ok(server.takeDelivered().length >= 100 - 4 - forgeries.length);
    }),
    { numRuns: 80 },
  );
});

test('early packets of calls that never connect leave room for others', () => {
  const { pair } = besieged(true);
  const { server, client } = pair;
  let now = 0;
  for (let round = 0; round < 100; round++, now += 4000) {
    const slot = server.path.calls.open(CLIENT, SERVER, 1000 + round, now);
    for (let n = 0; n < 30; n++)
      server.gre(greToServer(n, new Uint8Array(1400), undefined, 1000 + round), now);
    server.path.handleTimeout(now + 3000);
    server.drain(now + 3000);
    server.path.calls.close(slot);
  }
  // Stateful MPPE of the good caller still has room to wait for a packet.
  for (let tag = 0; tag < 3; tag++) client.tun(CLIENT_TUN, tagged(CALLER, '8.8.8.8', tag), now);
  const [first, second, third] = client.takeWire();
  server.gre(first!, now);
  server.gre(third!, now);
  server.gre(second!, now);
  assert.deepEqual(server.takeDelivered().map(tagOf), [0, 1, 2]);
});
