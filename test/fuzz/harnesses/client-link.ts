/** A link whose server sends what it likes: the link ends as its owner says, and a link beside it to another server stays. */
import assert from 'node:assert/strict';
import { encodeControlMessage } from '../../../src/wire/control-message.ts';
import { outgoingCallReply, startReply } from '../../../src/pptp/messages.ts';
import { ip, user, World } from '../../support/world.ts';
import { harness } from '../harness.ts';
import { controlOctets, pppFrame } from '../messages.ts';
import type { Random } from '../random.ts';
import { identity } from './server.ts';

type Step =
  | { readonly kind: 'octets'; readonly octets: Uint8Array }
  | { readonly kind: 'frame'; readonly frame: Uint8Array }
  | { readonly kind: 'wait'; readonly time: number }
  | { readonly kind: 'start' }
  | { readonly kind: 'call' }
  | { readonly kind: 'close' }
  | { readonly kind: 'desync' }
  | { readonly kind: 'dial' };

function step(random: Random): Step {
  switch (random.below(10)) {
    case 0:
      return { kind: 'wait', time: random.below(random.chance(4) ? 20_000 : 400) };
    case 1:
    case 2:
      return { kind: 'octets', octets: controlOctets(random) };
    case 3:
      return { kind: random.pick(['start', 'call', 'close', 'desync', 'dial']) };
    default:
      return { kind: 'frame', frame: pppFrame(random) };
  }
}

export const clientLink = harness({
  name: 'client-link',
  slow: true,
  generate: (random) => ({ honest: random.chance(2), steps: random.list(30, () => step(random)) }),
  run({ honest, steps }) {
    const world = new World();
    world.server({ ban: { after: 0, time: 1_000 } });
    const anna = world.link({ keepalive: undefined });
    anna.dial();
    world.advance(2_000);
    const evil = world.server({}, world.gateway([user('anna')]), ip('203.0.113.66'));
    const victim = world.link({ server: '203.0.113.66' });
    victim.dial();
    if (honest) world.advance(1_000);
    for (const one of steps) {
      const paths = [...victim.paths.calls.values()].filter(({ peer }) => peer === evil.address);
      const write = (octets: Uint8Array) => {
        const { tcp } = victim;
        if (tcp?.peer?.open === true) tcp.peer.write(octets);
      };
      if (one.kind === 'wait') world.advance(one.time);
      else if (one.kind === 'octets') write(one.octets);
      else if (one.kind === 'start') write(encodeControlMessage(startReply(identity, 1, 0)));
      else if (one.kind === 'call')
        write(encodeControlMessage(outgoingCallReply(3, 1, { resultCode: 1, errorCode: 0 }, 64)));
      else if (one.kind === 'close') victim.tcp?.peer?.close();
      else if (one.kind === 'dial') victim.dial();
      else
        for (const path of paths) {
          if (one.kind === 'desync') path.desynchronize();
          else path.receive(one.frame);
        }
      world.advance(3);
      assert.ok(victim.paths.calls.size <= 2, 'calls of one link');
    }
    world.advance(1_000);
    victim.hangup();
    world.advance(4_000);
    assert.equal(victim.state, 'down');
    assert.equal(anna.state, 'up');
    assert(anna.networks.only()[0].sendIp());
    assert.equal(victim.paths.calls.size, 1, "only anna's call is left");
    assert.ok(!JSON.stringify(victim.events).includes('secret of'), 'a secret in what is told');
  },
});
