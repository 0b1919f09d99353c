/** What one call's machines may ask of the data path. An object with few fields: there is one for every session. */
import type { MppeKeys } from '../../crypto/mppe-keys.ts';
import type { CallRates, Calls, Framing } from '../../data-path/calls.ts';
import type { CallCounters, CallPath, FrameReceiver } from '../../session/ports.ts';
import type { CallId, Slot } from '../../wire/brand.ts';
import { natObstacle } from './outer-path.ts';

/** What the paths of all calls tell whoever moves the packets. */
export interface PathEvents {
  /** The call can send now; what was held for it is to be fed once its owner has finished what it is doing. */
  connected(): void;
  /** Something was queued. */
  queued(): void;
  /** What waits may go earlier than it was to, or now. */
  hastened(): void;
  /** The call is about to go; what it queued is to be sent before. */
  closing(): void;
  closed(slot: Slot, callId: CallId): void;
}

export class DataCallPath implements CallPath {
  readonly slot: Slot;
  readonly callId: CallId;
  readonly #calls: Calls;
  readonly #events: PathEvents;
  #receiver: FrameReceiver | undefined;
  #open = true;

  constructor(slot: Slot, callId: CallId, calls: Calls, events: PathEvents) {
    this.slot = slot;
    this.callId = callId;
    this.#calls = calls;
    this.#events = events;
  }

  /** undefined: the call is not connected. */
  get receiver(): FrameReceiver | undefined {
    return this.#receiver;
  }

  connect(peerCallId: CallId, receiver: FrameReceiver): void {
    this.#receiver = receiver;
    this.#calls.connect(this.slot, peerCallId);
    this.#events.connected();
  }

  transmit(frame: Uint8Array): void {
    this.#calls.transmit(this.slot, frame);
    this.#events.queued();
  }

  transmitIpv6(packet: Uint8Array): void {
    this.#calls.transmitIpv6(this.slot, packet);
    this.#events.queued();
  }

  setFraming(framing: Framing): void {
    this.#calls.setFraming(this.slot, framing);
  }

  setMppe(direction: 'send' | 'receive', mppe: MppeKeys | undefined): void {
    this.#calls.setMppe(this.slot, direction, mppe);
  }

  requireEncryption(required: boolean): void {
    this.#calls.requireEncryption(this.slot, required);
  }

  setRates(rates: CallRates, now: number): void {
    this.#calls.setRates(this.slot, rates, now);
    this.#events.hastened();
  }

  flush(): void {
    this.#calls.flush(this.slot);
  }

  counters(): CallCounters {
    return this.#calls.counters(this.slot);
  }

  heard(): boolean {
    return this.#calls.heard(this.slot);
  }

  obstacle(): string | undefined {
    return natObstacle(this.#calls.addressing(this.slot));
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#events.closing();
    this.#calls.close(this.slot);
    this.#events.closed(this.slot, this.callId);
  }
}
