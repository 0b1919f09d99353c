/**
 * RFC 1661: two links, and frames from anybody between theirs. Each ends once, with a cause, or both are up again in the end;
 * frames that ask for nothing change nothing; the password is seen nowhere.
 */
import assert from 'node:assert/strict';
import type { AuthMethod } from '../../../src/ppp/options.ts';
import { isMalformed } from '../../../src/wire/codec.ts';
import { decodePppFrame } from '../../../src/wire/ppp-frame.ts';
import { clientOptions, Pair, PASSWORD, PERFECT, type Station } from '../../support/link.ts';
import { harness } from '../harness.ts';
import { pppFrame } from '../messages.ts';

const methods: readonly AuthMethod[] = ['mschap-v2', 'mschap', 'chap', 'pap', 'eap'];
const policies = ['required', 'optional', 'off'] as const;
/** The largest control frame: RFC 1661 §6.1, and FF 03 with the protocol. */
const LARGEST = 1500 + 4;

export const pppLink = harness({
  name: 'ppp-link',
  slow: true,
  generate: (random) => ({
    method: random.chance(2) ? 0 : random.below(methods.length),
    policy: random.below(policies.length),
    stateful: random.chance(2),
    ipv6: random.chance(2),
    jitter: random.chance(4) ? 100 : 0,
    moment: random.chance(2) ? 1000 : random.below(400),
    frames: random.list(25, () => ({
      frame: pppFrame(random),
      toServer: random.chance(2),
      pause: random.chance(8) ? random.below(4000) : 1,
    })),
  }),
  run({ method: nth, policy, stateful, ipv6, jitter, moment, frames }) {
    const method = methods[nth % methods.length]!;
    const strong = method !== 'chap' && method !== 'pap';
    const mppe = {
      policy: strong ? policies[policy % policies.length]! : 'off',
      strengths: [128, 40],
      stateful,
    } as const;
    const pair = new Pair({
      server: { ipv6, mppe, authenticatePeer: { methods: [method], name: 'gateway' } },
      client: { ipv6, mppe, identity: { ...identity!, methods: [method] } },
      faults: { ...PERFECT, jitter },
    }).start();
    pair.advance(moment);
    const before = pair.areUp;
    for (const { frame, toServer, pause } of frames) {
      (toServer ? pair.server : pair.client).link.handleFrame(frame, pair.clock.now);
      pair.advance(pause);
    }
    pair.advance(100_000);
    const { server, client } = pair;
    const isOver = server.cause !== undefined || client.cause !== undefined;
    assert.ok(pair.areUp || isOver, 'neither up nor over');
    for (const station of [server, client]) check(station, method, frames.length);
    if (!before || !frames.every(({ frame }) => isHarmless(frame))) return;
    assert.ok(pair.areUp, 'frames that ask for nothing ended a link');
    assert.equal(server.all('ip-down').length + client.all('ip-down').length, 0);
  },
});

const { identity } = clientOptions();
const password = Buffer.from(PASSWORD);

function check({ outputs }: Station, method: AuthMethod, frames: number): void {
  const downs = outputs.filter(({ kind }) => kind === 'down').length;
  assert.ok(downs <= 1, 'down twice');
  if (downs === 1) assert.equal(outputs.at(-1)?.kind, 'down');
  const ups = outputs.filter(({ kind }) => kind === 'ip-up').length;
  const ends = outputs.filter(({ kind }) => kind === 'ip-down').length;
  assert.ok(ups - ends === 0 || ups - ends === 1, 'ip-up and ip-down do not alternate');
  // A negotiation has a good dozen frames, and each one from outside may begin it anew.
  const transmitted = outputs.filter((output) => output.kind === 'transmit');
  assert.ok(transmitted.length <= 150 + 40 * frames, `${transmitted.length} frames for ${frames}`);
  for (const { frame } of transmitted) {
    assert.ok(frame.length <= LARGEST);
    assert.ok(!isMalformed(decodePppFrame(frame)));
    if (method !== 'pap')
      assert.ok(!Buffer.from(frame).includes(password), 'the password in a frame');
  }
  for (const output of outputs)
    if (output.kind === 'down' || output.kind === 'closing' || output.kind === 'counted')
      assert.ok(!JSON.stringify(output).includes(PASSWORD), 'the password in an output');
}

/** Terminate-Request, Code-Reject and Protocol-Reject end a link, and Configure packets restart one: rightly. */
function isHarmless(frame: Uint8Array): boolean {
  const read = decodePppFrame(frame);
  if (isMalformed(read)) return true;
  const [code = 0] = read.payload;
  return read.protocol < 0x8000 || code === 0 || code > 8;
}
