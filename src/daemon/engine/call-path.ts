/** What one call's machines may ask of the data path. An object with few fields: there is one for every session. */
import type { MppeKeys } from '../../crypto/mppe-keys.ts';
import type { DataPath } from '../../data-path/data-path.ts';
import type { CallCounters, CallPath, FrameReceiver } from '../../session/ports.ts';

/** What the paths of all calls need from whoever moves the packets. */
export interface PathEvents {
  /** The call can send now; what was held for it is to be fed once its owner has finished what it is doing. */
  connected(): void;
  /** Something was queued. */
  queued(): void;
  /** The call is about to go; what it queued is to be sent before. */
  closing(): void;
  closed(slot: number, callId: number): void;
  obstacle(slot: number): string | undefined;
}

export class DataCallPath implements CallPath {
  readonly slot: number;
  readonly callId: number;
  readonly #dataPath: DataPath;
  readonly #events: PathEvents;
  #receiver: FrameReceiver | undefined;
  #open = true;

  constructor(slot: number, callId: number, dataPath: DataPath, events: PathEvents) {
    this.slot = slot;
    this.callId = callId;
    this.#dataPath = dataPath;
    this.#events = events;
  }

  /** undefined: the call is not connected. */
  get receiver(): FrameReceiver | undefined {
    return this.#receiver;
  }

  connect(peerCallId: number, receiver: FrameReceiver, now: number): void {
    this.#receiver = receiver;
    this.#dataPath.connectCall(this.slot, peerCallId, now);
    this.#events.connected();
  }

  transmit(frame: Uint8Array): void {
    this.#dataPath.transmitFrame(this.slot, frame);
    this.#events.queued();
  }

  setFraming(framing: { pfc: boolean; acfc: boolean; mtu: number }): void {
    this.#dataPath.setFraming(this.slot, framing);
  }

  setMppe(direction: 'send' | 'receive', mppe: MppeKeys | undefined): void {
    this.#dataPath.setMppe(this.slot, direction, mppe);
  }

  requireEncryption(required: boolean): void {
    this.#dataPath.requireEncryption(this.slot, required);
  }

  flush(): void {
    this.#dataPath.flush(this.slot);
  }

  counters(): CallCounters {
    return this.#dataPath.counters(this.slot);
  }

  heard(): boolean {
    return this.#dataPath.heard(this.slot);
  }

  obstacle(): string | undefined {
    return this.#events.obstacle(this.slot);
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#events.closing();
    this.#dataPath.closeCall(this.slot);
    this.#events.closed(this.slot, this.callId);
  }
}
