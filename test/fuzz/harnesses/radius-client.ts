/**
 * Whatever servers and strangers send, and whatever becomes of sockets and configuration: each request has one outcome, no answer
 * but its own, deadlines go on, and all is given back.
 */
import assert from 'node:assert/strict';
import { MAX_SOCKETS } from '../../../src/radius/server.ts';
import type { RadiusServerOptions } from '../../../src/radius/client-options.ts';
import { SharedSecret } from '../../../src/radius/shared-secret.ts';
import { cause } from '../../../src/wire/cause.ts';
import { radiusValue } from '../../../src/wire/radius-attributes.ts';
import { accept, login, Network, server, type Request } from '../../radius/network.ts';
import { unsigned } from '../../radius/unsigned.ts';
import { harness } from '../harness.ts';
import type { Random } from '../random.ts';

const names = ['one', 'two', 'three'];
const secrets = ['testing123', 'another'];

type Step =
  | {
      readonly kind: 'ask';
      readonly count: number;
      readonly within: number;
      readonly accounting: boolean;
    }
  | { readonly kind: 'abandon'; readonly which: number }
  | { readonly kind: 'wait'; readonly time: number }
  /** An answer to what was asked before, right or not. */
  | {
      readonly kind: 'answer';
      readonly which: number;
      readonly how: 'right' | 'wrong-secret' | 'unsigned' | 'damaged' | 'other-socket';
      readonly at: number;
      readonly code: number;
    }
  | { readonly kind: 'octets'; readonly which: number; readonly octets: Uint8Array }
  | { readonly kind: 'break'; readonly which: number }
  | { readonly kind: 'trouble'; readonly which: number }
  | { readonly kind: 'configure'; readonly servers: readonly Described[] };

interface Described {
  readonly name: number;
  readonly tls: boolean;
  readonly secret: number;
  readonly endpoint: number;
  readonly priority: number;
  readonly tries: number;
  readonly window: number;
  readonly policy: 'auto' | 'always' | 'never';
  [name: string]: string | number | boolean;
}

function described(random: Random, name: number): Described {
  return {
    name,
    tls: random.chance(3),
    secret: random.below(2),
    endpoint: random.below(2),
    priority: random.below(2),
    tries: random.between(1, 3),
    window: random.pick([1, 3, 4096]),
    policy: random.pick(['auto', 'always', 'never'] as const),
  };
}

const servers = (random: Random) =>
  names.flatMap((_, name) => (random.chance(3) ? [] : [described(random, name)]));

function optionsOf(list: readonly Described[]): RadiusServerOptions[] {
  return list.map(({ name, tls, secret, endpoint, priority, tries, window, policy }) =>
    server(names[name % names.length]!, {
      transport: tls ? 'tls' : 'udp',
      secret: new SharedSecret(secrets[secret % 2]!),
      endpoint: String(endpoint),
      priority,
      tries: Math.max(1, tries),
      window: Math.max(1, window),
      deadTime: 20_000,
      messageAuthenticator: policy,
    }),
  );
}

function step(random: Random): Step {
  const which = random.below(1000);
  switch (random.below(14)) {
    case 0:
      return { kind: 'abandon', which };
    case 1:
    case 2:
      return { kind: 'wait', time: random.below(random.chance(4) ? 60_000 : 3_000) };
    case 3:
      return { kind: 'break', which };
    case 4:
      return { kind: 'octets', which, octets: random.anyOctets(60) };
    case 5:
      return { kind: 'trouble', which };
    case 6:
      return { kind: 'configure', servers: servers(random) };
    case 7:
    case 8:
    case 9:
      return {
        kind: 'ask',
        count: random.chance(6) ? 20 : random.between(1, 3),
        within: random.chance(2) ? 0 : random.below(10_000),
        accounting: random.chance(4),
      };
    default:
      return {
        kind: 'answer',
        which,
        how: random.pick([
          'right',
          'right',
          'right',
          'wrong-secret',
          'unsigned',
          'damaged',
          'other-socket',
        ]),
        at: random.below(60),
        code: random.chance(4) ? random.below(50) : 0,
      };
  }
}

export const radiusClient = harness({
  name: 'radius-client',
  slow: true,
  generate: (random) => ({
    servers: servers(random),
    steps: random.list(40, () => step(random)),
  }),
  run({ servers: first, steps }) {
    const network = new Network(...unique(optionsOf(first)));
    network.answers.clear();
    const requests: Request[] = [];
    const abandoned = new Set<Request>();
    for (const one of steps) {
      act(network, one, requests, abandoned);
      network.drain();
      check(network);
    }
    network.advance(5000);
    network.client.close(cause('SHUTDOWN'), network.clock.now);
    network.drain();
    assert.equal(network.sockets.size, 0, 'a socket stays open');
    assert.equal(network.client.nextTimeout(), undefined);
    const outcomes = new Map<Request, number>();
    for (const output of network.outputs)
      if (output.kind === 'answered' || output.kind === 'failed') {
        outcomes.set(output.request, (outcomes.get(output.request) ?? 0) + 1);
        if (output.kind === 'answered')
          assert.equal(
            radiusValue(output.answer.attributes, 'User-Name')?.text,
            output.request.name,
          );
      }
    for (const request of requests)
      assert.equal(outcomes.get(request) ?? 0, abandoned.has(request) ? 0 : 1, request.name);
  },
});

function act(network: Network, one: Step, requests: Request[], abandoned: Set<Request>): void {
  const { client, clock } = network;
  const sockets = [...network.sockets.keys()];
  switch (one.kind) {
    case 'ask':
      for (let i = 0; i < Math.min(one.count, 20); i++) {
        const request = login(`user${requests.length}`, {
          code: one.accounting ? 4 : 1,
          ...(one.within === 0 ? {} : { within: one.within }),
          ...(one.accounting ? { happened: clock.now - 1000 } : {}),
        });
        requests.push(request);
        network.request(request);
      }
      return;
    case 'abandon': {
      const request = requests[one.which % requests.length];
      if (request === undefined) return;
      const isOver = network.outputs.some(
        (output) => 'request' in output && output.request === request,
      );
      if (!isOver) abandoned.add(request);
      client.abandon(request, clock.now);
      return;
    }
    case 'wait':
      network.advance(one.time);
      return;
    case 'answer':
      answer(network, one);
      return;
    case 'octets':
      client.handleOctets(sockets[one.which % sockets.length] ?? 999, one.octets, clock.now);
      return;
    case 'break': {
      const socket = sockets[one.which % sockets.length];
      if (socket !== undefined) network.breakOff(socket, 'ECONNRESET');
      return;
    }
    case 'trouble':
      client.handleTrouble(sockets[one.which % sockets.length] ?? 999, 'ECONNREFUSED');
      return;
    case 'configure':
      client.configure(unique(optionsOf(one.servers)), clock.now);
  }
}

function answer(network: Network, { which, how, at, code }: Step & { kind: 'answer' }): void {
  const { asked, sockets } = network;
  const one = asked[asked.length - 1 - (which % Math.min(asked.length, 30))];
  if (one === undefined) return;
  const right = accept(one, {
    secret: one.secret,
    ...(code === 0 ? {} : { code }),
  });
  switch (how) {
    case 'right':
      network.deliver(one.socket, right);
      return;
    case 'other-socket':
      for (const socket of sockets.keys())
        if (socket !== one.socket) {
          const count = network.outputs.length;
          network.deliver(socket, right);
          assert.ok(
            network.outputs.slice(count).every(({ kind }) => kind !== 'answered'),
            'an answer over another socket counts',
          );
          return;
        }
      return;
    case 'wrong-secret':
      network.deliver(one.socket, accept(one, { secret: 'guess' }));
      return;
    case 'unsigned': {
      const attributes = one.packet.attributes.filter(({ name }) => name === 'User-Name');
      network.deliver(one.socket, unsigned({ ...one.packet, code: 2, attributes }, one.secret));
      return;
    }
    case 'damaged': {
      const damaged = right.slice();
      damaged[at % damaged.length]! ^= 1 << (which & 7);
      network.deliver(one.socket, damaged);
    }
  }
}

/** Names are unique in a configuration. */
function unique(list: readonly RadiusServerOptions[]): RadiusServerOptions[] {
  return [...new Map(list.map((options) => [options.name, options])).values()];
}

function check({ client, clock, sockets }: Network): void {
  client.handleTimeout(clock.now);
  assert.ok((client.nextTimeout() ?? Infinity) > clock.now, 'a deadline that does not go on');
  assert.ok(sockets.size <= 12 * MAX_SOCKETS.udp);
  for (const { waiting } of client.status()) assert.ok(waiting >= 0);
}
