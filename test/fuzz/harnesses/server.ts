/** Whole callers on a virtual clock: strangers send what they like; anna's session stays, places are given back, no secret is told. */
import assert from 'node:assert/strict';
import { PROTOCOL_VERSION } from '../../../src/wire/control-codes.ts';
import { encodeControlMessage } from '../../../src/wire/control-message.ts';
import { outgoingCallRequest, startRequest } from '../../../src/pptp/messages.ts';
import type { Caller } from '../../../src/session/server/caller.ts';
import {
  ip,
  limits,
  World,
  type LinkHost,
  type ServerHost,
  type TcpEnd,
} from '../../support/world.ts';
import { harness } from '../harness.ts';
import { controlOctets, pppFrame } from '../messages.ts';
import type { Random } from '../random.ts';

const STRANGERS = 6;

type Step = { readonly who: number } & (
  | { readonly kind: 'octets'; readonly octets: Uint8Array }
  | { readonly kind: 'frame'; readonly frame: Uint8Array; readonly slot: number }
  | { readonly kind: 'wait'; readonly time: number }
  | { readonly kind: 'connect' }
  | { readonly kind: 'start' }
  | { readonly kind: 'call' }
  | { readonly kind: 'close' }
  | { readonly kind: 'desync' }
);

function step(random: Random): Step {
  const who = random.below(STRANGERS);
  switch (random.below(12)) {
    case 0:
      return {
        who,
        kind: 'wait',
        time: random.chance(4) ? random.below(30_000) : random.below(200),
      };
    case 1:
    case 2:
      return { who, kind: 'octets', octets: controlOctets(random) };
    case 3:
      return { who, kind: random.pick(['close', 'desync']) };
    case 4:
      return { who, kind: 'connect' };
    case 5:
      return { who, kind: 'start' };
    case 6:
      return { who, kind: 'call' };
    default:
      return { who, kind: 'frame', frame: pppFrame(random), slot: random.below(4) };
  }
}

export const server = harness({
  name: 'server',
  slow: true,
  generate: (random) => ({ steps: random.list(60, () => step(random)) }),
  run({ steps }) {
    const siege = new Siege();
    for (const one of steps) siege.take(one);
    siege.end();
  },
});

export const identity = {
  hostName: 'stranger',
  vendorName: '',
  firmwareRevision: PROTOCOL_VERSION,
};

class Siege {
  private readonly world = new World();
  private readonly host: ServerHost;
  private readonly anna: LinkHost;
  private readonly tcp: (TcpEnd | undefined)[] = [];
  private readonly callers: (Caller | undefined)[] = [];

  constructor() {
    const { world } = this;
    this.host = world.server({
      ban: { after: 3, time: 5_000 },
      mppe: { policy: 'optional', strengths: [128, 40], stateful: true },
    });
    this.anna = world.link({ keepalive: undefined });
    this.anna.dial();
    world.advance(2_000);
    assert.equal(this.anna.state, 'up');
  }

  take(step: Step): void {
    const { world, host } = this;
    const who = step.who % STRANGERS;
    const tcp = this.tcp[who];
    const caller = this.callers[who];
    switch (step.kind) {
      case 'wait':
        world.advance(step.time);
        break;
      case 'connect': {
        if (tcp?.open === true) break;
        const made = host.connect(ip(`192.0.2.${60 + who}`));
        this.tcp[who] = made.tcp;
        this.callers[who] = 'poll' in made.caller ? made.caller : undefined;
        break;
      }
      case 'start':
        if (tcp?.open === true) tcp.write(encodeControlMessage(startRequest(identity)));
        break;
      case 'call':
        if (tcp?.open === true) tcp.write(encodeControlMessage(outgoingCallRequest(who, 1)));
        break;
      case 'octets':
        if (tcp?.open === true) tcp.write(step.octets);
        break;
      case 'close':
        tcp?.close();
        break;
      case 'frame':
      case 'desync': {
        if (caller === undefined || !host.callers.has(caller)) break;
        const paths = [...host.paths.calls.values()].filter(({ peer }) => peer === caller.peer);
        if (step.kind === 'desync') paths[0]?.desynchronize();
        else paths[step.slot]?.receive(step.frame);
      }
    }
    world.advance(step.kind === 'wait' ? 0 : 7);
    const strangers = host.server.callers().length - 1;
    assert.ok(strangers <= limits.maxHalfOpen, `${strangers} strangers at a time`);
    assert.ok(host.paths.calls.size <= 1 + 4 * STRANGERS, 'calls without a login');
  }

  end(): void {
    const { world, host, anna } = this;
    assert.equal(anna.state, 'up');
    assert.equal(host.server.sessions().length, 1);
    assert.equal(host.server.sessions()[0]?.username, 'anna');
    assert(anna.networks.only()[0].sendIp());
    world.advance(130_000);
    assert.equal(host.server.callers().length, 1, 'the strangers are gone');
    assert.equal(host.paths.calls.size, 1);
    assert.equal(host.gateway.occupied, 1);
    assert.equal(anna.state, 'up');
    const told = JSON.stringify([host.events, host.server.sessions()]);
    assert.ok(!told.includes('secret of'), 'a secret in what is told');
  }
}
