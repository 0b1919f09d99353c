/** Sequences of operations on both ends of a control connection, against a small model of what may be alive. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { cause } from '../../src/wire/cause.ts';
import {
  controlMessageNames,
  encodeControlMessage,
  type ControlMessage,
} from '../../src/wire/control-message.ts';
import { samples } from './messages.ts';
import { Pair, type ControlEvent, type End } from './pair.ts';

const MAX_CALLS = 3;

/** What the events of one end may say, from what was done to it. */
class Ledger {
  readonly end: End;
  /** Own call ids that were placed, offered or accepted, and are not down. */
  readonly live = new Set<number>();
  readonly up = new Set<number>();
  readonly requests = new Set<number>();
  established: boolean;
  stopping = false;
  down = false;
  /** Calls that ever came up. */
  ups = 0;

  constructor(end: End, established: boolean) {
    this.end = end;
    this.established = established;
  }

  get isUp(): boolean {
    return this.established && !this.stopping && !this.down;
  }

  /** An id that is not in use. */
  freeId(wish: number): number {
    let id = wish;
    while (this.live.has(id)) id = (id + 1) & 0xffff;
    return id;
  }

  record(event: ControlEvent): void {
    assert.equal(this.down, false, `${event.kind} after down`);
    switch (event.kind) {
      case 'call-requested':
        assert.ok(!this.requests.has(event.request));
        this.requests.add(event.request);
        break;
      case 'request-withdrawn':
        assert.ok(this.requests.delete(event.request));
        break;
      case 'call-up':
        assert.ok(this.live.has(event.callId));
        assert.ok(!this.up.has(event.callId));
        this.up.add(event.callId);
        this.ups++;
        break;
      case 'call-down':
        assert.ok(this.live.delete(event.callId));
        this.up.delete(event.callId);
        break;
      case 'down':
        assert.equal(this.live.size, 0, 'every call is down first');
        assert.equal(this.requests.size, 0);
        this.down = true;
        break;
      case 'established':
        this.established = true;
        break;
      case 'counted':
        break;
    }
  }
}

interface Real {
  readonly pair: Pair;
  readonly ledgers: readonly [Ledger, Ledger];
}
type Model = Record<string, never>;

/** Lets time pass and checks everything that must hold at any time. */
function settle({ pair, ledgers }: Real, duration: number): void {
  pair.advance(duration);
  for (const ledger of ledgers) {
    const { connection } = ledger.end;
    for (const event of ledger.end.takeEvents()) ledger.record(event);
    assert.ok(connection.callCount <= MAX_CALLS);
    assert.equal(connection.callCount, ledger.live.size + ledger.requests.size);
    const next = connection.nextTimeout();
    assert.equal(next === undefined, ledger.down);
    if (next !== undefined) assert.ok(next > pair.now, 'what is due has been handled');
  }
}

abstract class Command implements fc.Command<Model, Real> {
  readonly side: 0 | 1;
  constructor(side: 0 | 1) {
    this.side = side;
  }
  check(): boolean {
    return true;
  }
  abstract act(ledger: Ledger, real: Real): void;
  run(_model: Model, real: Real): void {
    this.act(real.ledgers[this.side], real);
    settle(real, 0);
  }
  toString(): string {
    return `${this.constructor.name} ${JSON.stringify(this)}`;
  }
}

class Start extends Command {
  readonly outgoing: boolean;
  readonly wish: number;
  constructor(side: 0 | 1, outgoing: boolean, wish: number) {
    super(side);
    this.outgoing = outgoing;
    this.wish = wish;
  }
  act(ledger: Ledger, { pair }: Real): void {
    const { connection } = ledger.end;
    const id = ledger.freeId(this.wish);
    const begin = () =>
      this.outgoing ? connection.placeCall(id, pair.now) : connection.offerCall(id, pair.now);
    if (ledger.stopping || ledger.down) {
      assert.equal(begin(), false);
    } else if (ledger.isUp && connection.callCount < MAX_CALLS) {
      assert.equal(begin(), true);
      ledger.live.add(id);
    } else {
      assert.throws(begin);
    }
  }
}

class Answer extends Command {
  readonly wish: number | undefined;
  constructor(side: 0 | 1, wish: number | undefined) {
    super(side);
    this.wish = wish;
  }
  act(ledger: Ledger, { pair }: Real): void {
    const { connection } = ledger.end;
    const [request] = ledger.requests;
    if (request === undefined) {
      assert.equal(connection.refuseCall(0xffffff, 'busy'), false);
      return;
    }
    ledger.requests.delete(request);
    if (this.wish === undefined) {
      assert.equal(connection.refuseCall(request, 'not-accepted'), true);
    } else {
      const id = ledger.freeId(this.wish);
      assert.equal(connection.acceptCall(request, id, pair.now), true);
      ledger.live.add(id);
    }
  }
}

class Clear extends Command {
  readonly which: number;
  constructor(side: 0 | 1, which: number) {
    super(side);
    this.which = which;
  }
  act(ledger: Ledger, { pair }: Real): void {
    const id = [...ledger.live][this.which % (ledger.live.size + 1)] ?? 0xdead;
    ledger.end.connection.clearCall(id, cause('USER_REQUEST'), pair.now);
  }
}

class Stop extends Command {
  act(ledger: Ledger, { pair }: Real): void {
    ledger.stopping = true;
    ledger.end.connection.stop(cause('SHUTDOWN'), pair.now);
  }
}

class CloseTcp extends Command {
  act(ledger: Ledger, { pair }: Real): void {
    ledger.end.connection.handleClosed(pair.now);
  }
}

class Wait extends Command {
  readonly duration: number;
  constructor(side: 0 | 1, duration: number) {
    super(side);
    this.duration = duration;
  }
  act(_ledger: Ledger, real: Real): void {
    settle(real, this.duration);
  }
}

class Lose extends Command {
  readonly message: number;
  constructor(side: 0 | 1, message: number) {
    super(side);
    this.message = message;
  }
  act({ end }: Ledger): void {
    const name = controlMessageNames[this.message % controlMessageNames.length]!;
    if (!end.lost.delete(name)) end.lost.add(name);
  }
}

/** A message that the other end never sent, with ids that may or may not be somebody's. */
class Inject extends Command {
  readonly message: number;
  readonly callId: number;
  readonly peerCallId: number;
  readonly resultCode: number;
  constructor(side: 0 | 1, message: number, callId: number, peerCallId: number, result: number) {
    super(side);
    this.message = message;
    this.callId = callId;
    this.peerCallId = peerCallId;
    this.resultCode = result;
  }
  act({ end }: Ledger, { pair }: Real): void {
    const name = controlMessageNames[this.message % controlMessageNames.length]!;
    const message: Record<string, unknown> = { ...samples[name] };
    for (const field of ['callId', 'peerCallId', 'resultCode'] as const)
      if (field in message) message[field] = this[field];
    const octets = encodeControlMessage(message as unknown as ControlMessage);
    end.connection.handleOctets(octets, pair.now);
  }
}

class Garbage extends Command {
  readonly octets: Uint8Array;
  constructor(side: 0 | 1, octets: Uint8Array) {
    super(side);
    this.octets = octets;
  }
  act({ end }: Ledger, { pair }: Real): void {
    end.connection.handleOctets(this.octets, pair.now);
  }
}

const side = fc.constantFrom<0 | 1>(0, 1);
/** Few, so that they meet. */
const id = fc.nat(3);

const start = fc.tuple(side, fc.boolean(), id).map((args) => new Start(...args));
const accept = fc.tuple(side, id).map((args) => new Answer(...args));
const wait = fc
  .tuple(side, fc.constantFrom(1, 10, 100, 100, 100, 1500, 20_000, 70_000))
  .map((args) => new Wait(...args));
const clear = fc.tuple(side, fc.nat(3)).map((args) => new Clear(...args));
const inject = fc.tuple(side, fc.nat(100), id, id, fc.nat(8)).map((args) => new Inject(...args));

const end = fc.oneof(
  fc.tuple(side).map((args): Command => new Stop(...args)),
  fc.tuple(side).map((args) => new CloseTcp(...args)),
  fc.tuple(side, fc.uint8Array({ minLength: 1, maxLength: 8 })).map((args) => new Garbage(...args)),
);

const commands = fc.commands<Model, Real>(
  [
    // What builds comes more often than what ends.
    ...[start, start, start, start, accept, accept, accept, accept, wait, wait, wait, wait, wait],
    ...[clear, clear, inject, inject],
    fc.tuple(side).map((args) => new Answer(...args, undefined)),
    fc.tuple(side, fc.nat(100)).map((args) => new Lose(...args)),
    end,
  ],
  { maxCommands: 60, size: 'max' },
);

test('any sequence of operations: events fit what was done, and all ends', () => {
  let established = 0;
  let up = 0;
  fc.assert(
    fc.property(commands, fc.boolean(), (sequence, opened) => {
      const pair = new Pair({ maxCalls: MAX_CALLS }, { maxCalls: MAX_CALLS });
      const real: Real = {
        pair,
        ledgers: [new Ledger(pair.originator, opened), new Ledger(pair.receiver, opened)],
      };
      if (opened) pair.establish();
      else pair.open();
      fc.modelRun(() => ({ model: {}, real }), sequence);
      settle(real, 0);
      if (real.ledgers[0].isUp) established++;
      up += real.ledgers[0].ups + real.ledgers[1].ups;

      // Whatever happened: a goodbye ends both within its time, with every call down.
      for (const end of [pair.originator, pair.receiver])
        end.connection.stop(cause('SHUTDOWN'), pair.now);
      settle(real, 5000);
      for (const ledger of real.ledgers) assert.equal(ledger.down, true);
    }),
    { numRuns: 1000 },
  );
  assert.ok(established > 50, `connections alive at the end: ${established}`);
  assert.ok(up > 50, `calls that came up: ${up}`);
});

test('the stream may be cut and merged anyhow: the same comes of it', () => {
  const message = fc
    .tuple(fc.constantFrom(...controlMessageNames), id, id)
    .map(([name, callId, peerCallId]) => {
      const one: Record<string, unknown> = { ...samples[name] };
      if ('callId' in one) one['callId'] = callId;
      if ('peerCallId' in one) one['peerCallId'] = peerCallId;
      return encodeControlMessage(one as unknown as ControlMessage);
    });
  const outputs = (pieces: readonly Uint8Array[]): ControlEvent[] => {
    const { receiver } = new Pair();
    receiver.connection.handleOpen(0);
    for (const piece of pieces) receiver.connection.handleOctets(piece, 1);
    receiver.drain();
    return receiver.events;
  };
  fc.assert(
    fc.property(
      fc.array(message, { maxLength: 20 }),
      fc.array(fc.nat(5000), { maxLength: 30 }),
      (messages, places) => {
        const all = [encodeControlMessage(samples.StartControlConnectionRequest), ...messages];
        const stream = Uint8Array.from(all.flatMap((one) => [...one]));
        const edges = places.map((place) => place % stream.length).sort((a, b) => a - b);
        const pieces = [0, ...edges].map((edge, i) => stream.subarray(edge, edges[i]));
        assert.deepEqual(outputs(pieces), outputs(all));
      },
    ),
  );
});
