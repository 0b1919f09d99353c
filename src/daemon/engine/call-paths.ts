/** The calls on the data path: whose each is, and what its control frames may cost. */
import type { SavedCallPath } from '../../data-path/calls.ts';
import { Control } from '../../data-path/control.ts';
import type { DataPath } from '../../data-path/data-path.ts';
import { RateLimit } from '../../data-path/queues/rate-limit.ts';
import type { CallPath, CallPaths } from '../../session/ports.ts';
import type { CallId, Ipv4, Slot } from '../../wire/brand.ts';
import type { AdmittedCallIds } from './admitted-call-ids.ts';
import { DataCallPath, type PathEvents } from './call-path.ts';
import type { Drive } from './drive.ts';

/**
 * Control frames of one call: at once, and per second. A login takes about 20; each one beyond may cost us a reply, or
 * with a renegotiation a login and routes.
 */
const CONTROL_BURST = 256;
const CONTROL_PER_SECOND = 64;

interface OpenCall {
  /** Of which the receiver of its frames is a part. */
  readonly machine: object;
  readonly path: DataCallPath;
}

interface Parts {
  readonly octets: Uint8Array;
  readonly dataPath: DataPath;
  readonly maxCalls: number;
  readonly callIds: AdmittedCallIds;
  readonly drive: Drive;
}

export class DataCallPaths implements CallPaths {
  /** Control frames that were dropped because a call had too many. */
  floodFrames = 0;
  readonly #parts: Parts;
  readonly #events: PathEvents;
  /** By slot. */
  readonly #calls: (OpenCall | undefined)[];
  readonly #ration: RateLimit;
  /** The machine of calls that were inherited and have none yet. */
  readonly #orphans = {};

  constructor(parts: Parts, events: Omit<PathEvents, 'closed'>) {
    const { maxCalls, callIds } = parts;
    this.#parts = parts;
    this.#calls = new Array<OpenCall | undefined>(maxCalls).fill(undefined);
    this.#ration = new RateLimit(maxCalls, CONTROL_PER_SECOND, CONTROL_BURST);
    this.#events = {
      ...events,
      closed: (slot, callId) => {
        this.#calls[slot] = undefined;
        callIds.release(callId);
      },
    };
  }

  open(machine: object, peer: Ipv4, local: Ipv4, now: number): CallPath | undefined {
    const { callIds, dataPath } = this.#parts;
    const callId = callIds.take();
    if (callId === undefined) return undefined;
    const slot = dataPath.calls.open(peer, local, callId, now);
    if (slot === -1) {
      callIds.release(callId);
      return undefined;
    }
    const path = new DataCallPath(slot, callId, dataPath.calls, this.#events);
    this.#enter(machine, path, now);
    return path;
  }

  #enter(machine: object, path: DataCallPath, now: number): void {
    this.#ration.reset(path.slot, now);
    this.#calls[path.slot] = { machine, path };
  }

  /** Those of the program before. Reopened ones are their machines', and others end with closeOrphans(). */
  restore(all: readonly SavedCallPath[], now: number): void {
    const { dataPath } = this.#parts;
    for (const saved of all) {
      const slot = dataPath.calls.restore(saved, now);
      const { callId } = saved.session;
      if (slot === -1) this.#parts.callIds.release(callId);
      else
        this.#enter(
          this.#orphans,
          new DataCallPath(slot, callId, dataPath.calls, this.#events),
          now,
        );
    }
  }

  reopen(machine: object, callId: CallId): CallPath {
    const orphan = this.#calls.find(
      (call) => call?.machine === this.#orphans && call.path.callId === callId,
    );
    if (orphan === undefined) throw new Error(`no call ${callId} was left`);
    this.#calls[orphan.path.slot] = { machine, path: orphan.path };
    return orphan.path;
  }

  closeOrphans(): void {
    this.release(this.#orphans);
  }

  /** Nothing waits any more in the calls of these machines: it is queued. */
  hasten(machines: ReadonlySet<object>, now: number): void {
    for (const slot of this.#slotsOf(machines)) this.#parts.dataPath.calls.hasten(slot, now);
  }

  /**
   * Calls of these machines (#calls), which are connected. Not carried: floodFrames, #parts, #events and #orphans; #ration, which is full
   * again.
   */
  save(machines: ReadonlySet<object>): readonly SavedCallPath[] {
    return this.#slotsOf(machines).map((slot) => this.#parts.dataPath.calls.save(slot));
  }

  #slotsOf(machines: ReadonlySet<object>): readonly Slot[] {
    return this.#calls.flatMap((call) =>
      call !== undefined && machines.has(call.machine) ? call.path.slot : [],
    );
  }

  /** Closes the calls of the machine. */
  release(machine: object): void {
    for (const call of this.#calls) if (call?.machine === machine) call.path.close();
  }

  /** Feeds the machines with what the data path has for them. */
  feed(now: number): void {
    const { octets, dataPath, drive } = this.#parts;
    let what: Control;
    while ((what = dataPath.nextControl(now)) !== Control.None) {
      const { slot, offset, length } = dataPath.control;
      const call = this.#calls[slot];
      const receiver = call?.path.receiver;
      if (call === undefined || receiver === undefined) continue;
      if (what === Control.Desynchronized) {
        drive.feed(call.machine, () => receiver.handleDesynchronized(now));
      } else if (this.#ration.take(slot, 1, now) === 0) {
        this.floodFrames++;
      } else {
        const frame = octets.slice(offset, offset + length);
        drive.feed(call.machine, () => receiver.handleFrame(frame, now));
      }
    }
  }
}
