/** What a capture shows of a GRE packet to anybody: no login, no payload; and its file is whole whatever comes. */
import assert from 'node:assert/strict';
import { redactGre } from '../../../src/daemon/capture/redact.ts';
import { encodeChap } from '../../../src/wire/chap.ts';
import { encodePap } from '../../../src/wire/pap.ts';
import { encodePppFrame, PppProtocol } from '../../../src/wire/ppp-frame.ts';
import { textOf } from '../../../src/wire/text.ts';
import { harness } from '../harness.ts';
import { grePacket, pppFrame, wholeGrePacket } from '../messages.ts';
import { joined, type Random } from '../random.ts';
import { SECRET } from '../uci-texts.ts';

const secret = new TextEncoder().encode(SECRET.repeat(4));

function login(random: Random): Uint8Array {
  const identifier = random.below(256);
  const name = textOf('anna');
  const pap = encodePppFrame(
    PppProtocol.Pap,
    encodePap({ kind: 'authenticate-request', identifier, peerId: name, password: secret }),
  );
  const chap = encodePppFrame(
    PppProtocol.Chap,
    encodeChap({ kind: 'response', identifier, value: joined(random.octets(2), secret), name }),
  );
  const data = encodePppFrame(
    random.pick([PppProtocol.Ip, PppProtocol.Ipv6, PppProtocol.Compressed, 0x2d]),
    joined(random.octets(28), secret),
  );
  const frame = random.pick([pap, chap, data]);
  // RFC 1661 §5.7: a rejected login comes back whole.
  const rejected = joined(Uint8Array.of(8, 1, 0, 4 + frame.length - 2), frame.subarray(2));
  return random.chance(4)
    ? encodePppFrame(PppProtocol.Lcp, rejected)
    : random.chance(4)
      ? frame.subarray(2)
      : frame;
}

export const captures = harness({
  name: 'captures',
  generate: (random) => ({
    login: wholeGrePacket(1, 1, login(random)),
    packet: random.damaged(grePacket(random, 1, 1, pppFrame(random))),
  }),
  run({ login: whole, packet }) {
    for (const each of [whole, packet]) {
      const before = each.slice();
      const shown = redactGre(each);
      assert.ok(Buffer.compare(before, each) === 0, 'the packet itself is changed');
      assert.ok(shown.length <= each.length);
    }
    assert.ok(!Buffer.from(redactGre(whole)).includes(SECRET.repeat(2)), 'a secret is shown');
  },
});
