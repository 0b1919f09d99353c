/**
 * RFC 2637 §3: whatever comes over TCP and whenever, each call that was begun ends once, the connection ends once and last,
 * what is sent is a message each, and time goes on.
 */
import assert from 'node:assert/strict';
import { ControlConnection } from '../../../src/pptp/control-connection.ts';
import { cause } from '../../../src/wire/cause.ts';
import { options } from '../../pptp/pair.ts';
import { decoded } from '../../pptp/pair.ts';
import { harness } from '../harness.ts';
import { controlOctets } from '../messages.ts';
import type { Random } from '../random.ts';

const MAX_CALLS = 4;
/** Outputs that one message, or one moment, may bring for each call there is. */
const OUTPUTS = 3;

type Step =
  | { readonly kind: 'octets'; readonly octets: Uint8Array }
  | { readonly kind: 'wait'; readonly time: number }
  | { readonly kind: 'place' | 'offer' | 'clear' | 'closed' | 'stop' | 'abandon' };

function step(random: Random): Step {
  switch (random.below(12)) {
    case 0:
      return { kind: 'wait', time: random.chance(4) ? random.below(150_000) : random.below(3000) };
    case 1:
      return {
        kind: random.pick([
          'place',
          'offer',
          'clear',
          'place',
          'offer',
          'clear',
          'closed',
          'stop',
          'abandon',
        ]),
      };
    default:
      return { kind: 'octets', octets: controlOctets(random) };
  }
}

export const controlConnection = harness({
  name: 'control-connection',
  generate: (random) => ({
    initiator: random.chance(3),
    answers: random.below(4),
    steps: random.list(30, () => step(random)),
  }),
  run({ initiator, answers, steps }) {
    const machine = new Watched(initiator, answers);
    for (const one of steps) machine.take(one);
    machine.end();
  },
});

class Watched {
  private readonly connection: ControlConnection;
  private readonly answers: number;
  private now = 1000;
  private nextId = 100;
  /** Ours, that have not ended. */
  private readonly calls = new Set<number>();
  private readonly requests = new Set<number>();
  private isUp = false;
  private isDown = false;

  constructor(initiator: boolean, answers: number) {
    this.answers = answers;
    this.connection = new ControlConnection(options({ initiator, maxCalls: MAX_CALLS }));
    this.connection.handleOpen(this.now);
    this.drain(1);
  }

  take(step: Step): void {
    const { connection } = this;
    switch (step.kind) {
      case 'octets':
        connection.handleOctets(step.octets, this.now);
        this.drain(step.octets.length / 12 + 1);
        return;
      case 'wait':
        this.wait(step.time);
        return;
      case 'place':
      case 'offer':
        if (this.isUp && connection.callCount < MAX_CALLS) {
          const id = this.nextId++;
          const began =
            step.kind === 'place'
              ? connection.placeCall(id, this.now)
              : connection.offerCall(id, this.now);
          if (began) this.calls.add(id);
        }
        break;
      case 'clear':
        for (const id of this.calls) {
          connection.clearCall(id, cause('USER_REQUEST'), this.now);
          break;
        }
        break;
      case 'closed':
        connection.handleClosed(this.now);
        break;
      case 'stop':
        connection.stop(cause('SHUTDOWN'), this.now);
        break;
      case 'abandon':
        connection.abandon(cause('CONTROL_COLLISION'));
    }
    this.drain(1);
  }

  /** Everything is given back. */
  end(): void {
    this.connection.stop(cause('SHUTDOWN'), this.now);
    this.drain(1);
    this.wait(10_000);
    assert.equal(this.isDown, true);
    assert.equal(this.calls.size, 0);
    assert.equal(this.connection.callCount, 0);
    assert.equal(this.connection.nextTimeout(), undefined);
  }

  private wait(time: number): void {
    const end = this.now + time;
    for (;;) {
      const due = this.connection.nextTimeout();
      if (due === undefined || due > end) break;
      this.now = Math.max(this.now, due);
      this.connection.handleTimeout(this.now);
      this.drain(1);
      const next = this.connection.nextTimeout();
      assert.ok(next === undefined || next > this.now, 'time stands still');
    }
    this.now = end;
  }

  private drain(inputs: number): void {
    const most = OUTPUTS * (inputs + 1) * (MAX_CALLS + 1);
    for (let count = 0; ; count++) {
      const output = this.connection.poll();
      if (output === undefined) break;
      assert.ok(count < most, `more than ${most} outputs`);
      assert.equal(this.isDown, false, `${output.kind} after down`);
      switch (output.kind) {
        case 'transmit':
          decoded(output.octets);
          break;
        case 'call-requested':
          assert.ok(!this.requests.has(output.request));
          this.requests.add(output.request);
          this.answer(output.request);
          break;
        case 'request-withdrawn':
          assert.ok(this.requests.delete(output.request));
          break;
        case 'call-up':
          assert.ok(this.calls.has(output.callId), 'a call that was not begun is up');
          break;
        case 'call-down':
          assert.ok(this.calls.delete(output.callId), 'a call ends twice');
          break;
        case 'down':
          assert.equal(this.calls.size, 0, 'a call outlives its connection');
          this.isDown = true;
          break;
        case 'established':
          this.isUp = true;
      }
      assert.ok(this.connection.callCount <= MAX_CALLS);
    }
  }

  private answer(request: number): void {
    if (this.answers === 0) return;
    if (this.answers === 1) {
      if (this.connection.refuseCall(request, 'no-resource')) this.requests.delete(request);
      return;
    }
    const id = this.nextId++;
    if (!this.connection.acceptCall(request, id, this.now)) return;
    this.requests.delete(request);
    this.calls.add(id);
  }
}
