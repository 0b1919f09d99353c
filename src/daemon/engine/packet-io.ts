/**
 * The data path on the kernel: batches from the GRE socket and the TUN devices go in, what it queued goes out, control
 * frames go to the machine that owns their call.
 */
import { createArena, type Arena } from '../../data-path/queues/arena.ts';
import { DataPath } from '../../data-path/data-path.ts';
import { RateLimit } from '../../data-path/queues/rate-limit.ts';
import { Verdict } from '../../data-path/verdict.ts';
import {
  greReceiveWords,
  greSendWords,
  GreSocket,
  type IoCounters,
} from '../../raw-socket/gre-socket.ts';
import type { CallIds } from '../../pptp/call-ids.ts';
import { IoContext } from '../../native/io-context.ts';
import type { IoError } from '../../native/io-error.ts';
import type { CallCounters, CallPath, CallPaths, Tunnel } from '../../session/ports.ts';
import { sendTun, TunDevice, tunReceiveWords } from '../../tun-tap/tun-device.ts';
import type { Ipv6Prefix } from '../../wire/ipv6.ts';
import { AdmittedCallIds } from './admitted-call-ids.ts';
import { DataCallPath, type PathEvents } from './call-path.ts';
import type { Capture, TcpEndpoints } from '../capture/capture.ts';
import { monotonic, type Drive } from './drive.ts';
import { natObstacle } from './outer-path.ts';

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

export class PacketIo {
  readonly paths: CallPaths = {
    open: (machine, peer, local, now) => this.openPath(machine, peer, local, now),
  };
  capture: Capture | undefined;
  /** The engine is broken: nothing is moved any more. */
  private broken = false;
  private readonly failed: (error: unknown) => void;
  private readonly pathEvents: PathEvents = {
    connected: () => queueMicrotask(this.guarded(() => this.feedReleased(monotonic()))),
    queued: () => {
      if (this.dataPath.greOutCount >= this.arena.outSlots.count / 2) this.flush();
    },
    closing: () => this.flush(), // the goodbye of a link
    closed: (slot, callId) => {
      this.calls[slot] = undefined;
      this.callIds.release(callId);
    },
    obstacle: (slot) => natObstacle(this.dataPath.addressing(slot)),
  };
  private readonly arena: Arena = createArena();
  private readonly io = new IoContext(this.arena.buffer);
  private readonly dataPath: DataPath;
  private readonly gre = new GreSocket(this.io);
  private readonly greIn = new Int32Array(this.arena.greSlots.count * greReceiveWords);
  private readonly tunIn = new Int32Array(this.arena.tunSlots.count * tunReceiveWords);
  /** By slot. */
  private readonly calls: (OpenCall | undefined)[];
  private readonly callIds: AdmittedCallIds;
  private readonly controlRation: RateLimit;
  /** Devices whose packets wait, and who is told of them. */
  private readonly parking = new Map<TunDevice, () => void>();
  private floodFrames = 0;
  /** Until the socket says that it has room. */
  private socketFull = false;
  private readonly drive: Drive;
  /** The data path's own deadlines: delayed acknowledgments, packets that wait. */
  private readonly deadlines = {
    nextTimeout: () => this.dataPath.nextTimeout(),
    handleTimeout: this.guarded((now: number) => {
      this.dataPath.handleTimeout(now);
      this.feedReleased(now);
    }),
    poll: () => undefined,
  };

  /**
   * @param maxCalls calls at the same time, those without a login included
   * @param failed the engine itself is in doubt: nothing is moved any more
   * @throws IoError without root, addon or GRE
   */
  constructor(maxCalls: number, drive: Drive, ids: CallIds, failed: (error: unknown) => void) {
    this.failed = failed;
    this.dataPath = new DataPath({ arena: this.arena, maxSessions: maxCalls });
    this.calls = new Array<OpenCall | undefined>(maxCalls).fill(undefined);
    this.controlRation = new RateLimit(maxCalls, CONTROL_PER_SECOND, CONTROL_BURST);
    this.drive = drive;
    this.callIds = new AdmittedCallIds(ids, (callIds) => this.gre.setCallIds(callIds));
    drive.settled = () => this.flush();
    drive.add(this.deadlines, {
      about: 'packets',
      carryOut: () => undefined,
      failed: ({ detail }) => this.fail(new Error(detail)),
    });
    this.gre.watch(this.arena.greSlots, this.greIn, {
      onBatch: this.guarded((count) => this.receiveGre(count)),
      onWritable: this.guarded(() => this.resume()),
      onLost: (error) => this.fail(error), // a raw socket does not go away
    });
  }

  /**
   * Makes a TUN device and receives from it.
   * @param lost the device was deleted behind our back
   * @throws IoError
   */
  openDevice(
    name: string,
    options: { isolate: boolean; isLink?: boolean },
    lost: (error: IoError) => void,
  ): TunDevice {
    const device = new TunDevice(this.io, name);
    this.dataPath.openDevice(device.fd, options);
    device.watch(this.arena.tunSlots, this.tunIn, {
      onBatch: this.guarded((count) => this.receiveTun(device, count)),
      onLost: lost,
    });
    return device;
  }

  closeDevice(device: TunDevice): void {
    this.flush();
    this.dataPath.closeDevice(device.fd);
    this.parking.delete(device);
    device.close();
  }

  /** What goes into the device of a link waits from now on. @param packet one more has come (each batch) */
  park(device: TunDevice, packet: () => void): void {
    this.dataPath.park(device.fd);
    this.parking.set(device, packet);
  }

  /** Sends what has waited, from the address `to` where its sender took `from`. */
  unpark(device: TunDevice, from: number, to: number): void {
    this.parking.delete(device);
    this.dataPath.unpark(device.fd, from, to, monotonic());
    this.flush();
  }

  /** IP flows between the call and the device from now on. */
  attach(path: CallPath, device: TunDevice, tunnel: Tunnel): void {
    const { localAddress, peerAddress, routes, ipv6 } = tunnel;
    this.dataPath.attach(path.slot, device.fd, { localAddress, peerAddress, prefixes: routes });
    this.dataPath.setIpv6(path.slot, ipv6);
  }

  /** What the device of a link has in IPv6. @param exclusive nothing else passes */
  giveIpv6(device: TunDevice, prefixes: readonly Ipv6Prefix[], exclusive: boolean): void {
    this.dataPath.setGivenIpv6(device.fd, prefixes, exclusive);
  }

  detach(path: CallPath): void {
    this.dataPath.detach(path.slot);
  }

  /** Closes the calls of a machine that has thrown. */
  release(machine: object): void {
    for (const call of this.calls)
      if (call?.machine === machine) this.guarded(() => call.path.close())();
  }

  /** Sends everything that is queued. */
  readonly flush = this.guarded(() => {
    const { dataPath } = this;
    const count = dataPath.greOutCount;
    if (count > 0 || dataPath.blocked) {
      const taken = this.socketFull ? 0 : this.gre.send(dataPath.greOut, count);
      this.socketFull ||= taken < count;
      if (this.capture !== undefined) this.captureGre(dataPath.greOut, greSendWords, taken, 'out');
      dataPath.sent(taken);
    }
    if (dataPath.tunOutCount > 0) sendTun(this.io, dataPath.tunOut, dataPath.tunOutCount);
    dataPath.resetOutput();
  });

  captureControl(endpoints: TcpEndpoints, direction: 'in' | 'out', octets: Uint8Array): void {
    this.capture?.control(endpoints, direction, octets);
  }

  /** Drops and errors that belong to no session. */
  counters(): {
    readonly gre: IoCounters;
    readonly calls: CallCounters;
    /** Control frames that were dropped because a call had too many. */
    readonly flood_frames: number;
  } {
    return {
      gre: this.gre.counters(),
      calls: this.dataPath.totals(),
      flood_frames: this.floodFrames,
    };
  }

  close(): void {
    this.flush();
    this.drive.remove(this.deadlines);
    this.gre.close();
  }

  /** What fails within is no peer's fault, but leaves the engine itself in doubt. */
  private guarded(act: (argument: number) => void): (argument?: number) => void {
    return (argument = 0) => {
      if (this.broken) return;
      try {
        act(argument);
      } catch (error) {
        this.fail(error);
      }
    };
  }

  private fail(error: unknown): void {
    this.broken = true;
    this.failed(error);
  }

  private resume(): void {
    this.socketFull = false;
    while (this.dataPath.blocked && !(this.socketFull as boolean)) {
      this.dataPath.resume();
      this.flush(); // which may find it full again
    }
  }

  private receiveGre(count: number): void {
    const { dataPath, greIn } = this;
    if (this.capture !== undefined) this.captureGre(greIn, greReceiveWords, count, 'in');
    const now = monotonic();
    for (let at = 0; at < count * greReceiveWords; at += greReceiveWords) {
      const verdict = dataPath.receiveGre(
        greIn[at]!,
        greIn[at + 1]!,
        greIn[at + 2]! >>> 0,
        greIn[at + 3]! >>> 0,
        now,
      );
      if (verdict === Verdict.Control || verdict === Verdict.Desynchronized)
        this.feed(verdict, now);
    }
    this.feedReleased(now);
    this.drive.touched(this.deadlines);
  }

  private receiveTun(device: TunDevice, count: number): void {
    const now = monotonic();
    let isParked = false;
    for (let at = 0; at < count * tunReceiveWords; at += tunReceiveWords) {
      const verdict = this.dataPath.receiveTun(
        device.fd,
        this.tunIn[at]!,
        this.tunIn[at + 1]!,
        now,
      );
      if (verdict === Verdict.Parked) isParked = true;
    }
    if (isParked) this.parking.get(device)?.();
    this.drive.touched(this.deadlines);
  }

  private feed(verdict: number, now: number): void {
    const { controlSlot, controlOffset, controlLength } = this.dataPath;
    const call = this.calls[controlSlot];
    const receiver = call?.path.receiver;
    if (call === undefined || receiver === undefined) return;
    if (verdict === Verdict.Desynchronized)
      this.drive.feed(call.machine, () => receiver.handleDesynchronized(now));
    else if (this.controlRation.take(controlSlot, 1, now) === 0) this.floodFrames++;
    else {
      const frame = this.arena.octets.slice(controlOffset, controlOffset + controlLength);
      this.drive.feed(call.machine, () => receiver.handleFrame(frame, now));
    }
  }

  private feedReleased(now: number): void {
    for (
      let verdict = this.dataPath.pollControl(now);
      verdict !== Verdict.None;
      verdict = this.dataPath.pollControl(now)
    ) {
      this.feed(verdict, now);
    }
  }

  private openPath(
    machine: object,
    peer: number,
    local: number,
    now: number,
  ): CallPath | undefined {
    const { dataPath, calls, callIds } = this;
    const callId = callIds.take();
    if (callId === undefined) return undefined;
    const slot = dataPath.openCall(peer, local, callId, now);
    if (slot === -1) {
      callIds.release(callId);
      return undefined;
    }
    this.controlRation.reset(slot, now);
    const path = new DataCallPath(slot, callId, dataPath, this.pathEvents);
    calls[slot] = { machine, path };
    return path;
  }

  private captureGre(
    meta: Int32Array,
    words: number,
    count: number,
    direction: 'in' | 'out',
  ): void {
    for (let at = 0; at < count * words; at += words) {
      const octets = this.arena.octets.subarray(meta[at], meta[at]! + meta[at + 1]!);
      this.capture?.gre(direction, meta[at + 2]! >>> 0, meta[at + 3]! >>> 0, octets);
    }
  }
}
