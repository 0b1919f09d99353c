/**
 * The data path on the kernel: batches from the GRE socket and the TUN devices go in, what comes of them goes out, control
 * frames go to the machine that owns their call.
 */
import type { SavedCallPath } from '../../data-path/calls.ts';
import type { Counters } from '../../data-path/counters.ts';
import { DataPath } from '../../data-path/data-path.ts';
import { createArena } from '../../data-path/queues/arena.ts';
import { IoContext } from '../../native/io-context.ts';
import type { IoError } from '../../native/io-error.ts';
import { clock } from '../../platform/platform.ts';
import type { CallIds } from '../../pptp/call-ids.ts';
import {
  greReceiveWords,
  greSendWords,
  GreSocket,
  type IoCounters,
} from '../../raw-socket/gre-socket.ts';
import type { CallCounters, CallPath, Tunnel } from '../../session/ports.ts';
import { sendTun, TunDevice, tunReceiveWords } from '../../tun-tap/tun-device.ts';
import type { Ipv6Prefix } from '../../wire/ipv6.ts';
import type { Capture, TcpEndpoints } from '../capture/capture.ts';
import { AdmittedCallIds } from './admitted-call-ids.ts';
import { DataCallPaths } from './call-paths.ts';
import type { Drive } from './drive.ts';

/** How often the socket is tried before another program takes over; what it does not take then is lost. */
const LAST_TRIES = 64;

export interface SavedPackets {
  /** Descriptor. */
  readonly gre: number;
  readonly calls: readonly SavedCallPath[];
  /** Of calls that have ended. */
  readonly ended: Counters;
}

export class PacketIo {
  readonly paths: DataCallPaths;
  capture: Capture | undefined;
  /** The engine is broken: nothing is moved any more. */
  #broken = false;
  readonly #failed: (error: unknown) => void;
  readonly #arena = createArena();
  readonly #io = new IoContext(this.#arena.buffer);
  readonly #dataPath: DataPath;
  readonly #gre: GreSocket;
  readonly #greIn = new Int32Array(this.#arena.greSlots.count * greReceiveWords);
  readonly #tunIn = new Int32Array(this.#arena.tunSlots.count * tunReceiveWords);
  /** Devices whose packets wait, and who is told of them. */
  readonly #parking = new Map<TunDevice, () => void>();
  /** Of devices that are open: they are closed before anything was received. */
  readonly #closing = new Map<TunDevice, () => void>();
  /** What begins with go(); undefined: it has begun. */
  #waiting: (() => void)[] | undefined;
  /** Until the socket says that it has room. */
  #socketFull = false;
  #flushIsDue = false;
  readonly #drive: Drive;
  /** The data path's own deadlines: delayed acknowledgments, packets that wait. */
  readonly #deadlines = {
    nextTimeout: () => this.#dataPath.nextTimeout(),
    handleTimeout: this.#guarded((now: number) => {
      this.#dataPath.handleTimeout(now);
      this.#settle(now);
    }),
    poll: () => undefined,
  };

  /**
   * @param maxCalls calls at the same time, those without a login included
   * @param failed the engine itself is in doubt: nothing is moved any more
   * @param inherited of the program before: nothing is received until go()
   * @throws IoError without root, addon or GRE
   */
  constructor(
    maxCalls: number,
    drive: Drive,
    ids: CallIds,
    failed: (error: unknown) => void,
    inherited?: SavedPackets,
  ) {
    this.#failed = failed;
    this.#drive = drive;
    this.#gre = new GreSocket(this.#io, inherited?.gre);
    this.#waiting = inherited && [];
    this.#dataPath = new DataPath({ arena: this.#arena, maxSessions: maxCalls });
    const callIds = new AdmittedCallIds(
      ids,
      (callIds) => this.#gre.setCallIds(callIds),
      inherited?.calls.map(({ session }) => session.callId),
    );
    const { octets } = this.#arena;
    const settleSoon = () => queueMicrotask(this.#guarded(() => this.#settle(clock.monotonic())));
    this.paths = new DataCallPaths(
      { octets, dataPath: this.#dataPath, maxCalls, callIds, drive },
      {
        connected: settleSoon,
        hastened: settleSoon,
        queued: () => this.#queued(),
        closing: () => this.flush(), // the goodbye of a link
      },
    );
    drive.add(this.#deadlines, {
      about: 'packets',
      carryOut: () => undefined,
      failed: ({ detail }) => this.#fail(new Error(detail)),
    });
    this.#whenGoing(() =>
      this.#gre.watch(this.#arena.greSlots, this.#greIn, {
        onBatch: this.#guarded((count) => this.#receiveGre(count)),
        onWritable: this.#guarded(() => this.#resume()),
        onLost: (error) => this.#fail(error), // a raw socket does not go away
      }),
    );
    if (inherited === undefined) return;
    this.#dataPath.restore(inherited.ended);
    this.paths.restore(inherited.calls, clock.monotonic());
  }

  /** All machines have taken up what was inherited: packets are received from now on. */
  go(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    this.paths.closeOrphans();
    for (const begin of waiting) begin();
  }

  #whenGoing(begin: () => void): void {
    if (this.#waiting === undefined) begin();
    else this.#waiting.push(begin);
  }

  /**
   * Nothing waits any more, and what another program goes on with; the calls of these machines.
   * Not carried: capture, #parking, whose packets are the device's; #arena, #io, #greIn, #tunIn, #closing, #drive, #deadlines, #failed,
   * which are made anew; #broken, #socketFull, #flushIsDue and #waiting, which are not so then.
   */
  save(machines: ReadonlySet<object>): SavedPackets {
    this.paths.hasten(machines, clock.monotonic());
    this.flush();
    for (let tries = 0; this.#dataPath.output.blocked && tries < LAST_TRIES; tries++)
      this.#resume();
    const calls = this.paths.save(machines);
    return { gre: this.#gre.fd, calls, ended: this.#dataPath.save() };
  }

  /**
   * Makes a TUN device and receives from it.
   * @param lost the device was deleted behind our back
   * @param inherited its descriptor, of the program before
   * @throws IoError
   */
  openDevice(
    name: string,
    options: { isolate: boolean; isLink?: boolean },
    lost: (error: IoError) => void,
    inherited?: number,
  ): TunDevice {
    const device = new TunDevice(this.#io, name, { inherited });
    this.#dataPath.devices.open(device.fd, options);
    let isOpen = true;
    this.#closing.set(device, () => (isOpen = false));
    this.#whenGoing(() => {
      if (!isOpen) return;
      device.watch(this.#arena.tunSlots, this.#tunIn, {
        onBatch: this.#guarded((count) => this.#receiveTun(device, count)),
        onLost: lost,
      });
    });
    return device;
  }

  closeDevice(device: TunDevice): void {
    this.flush();
    this.#dataPath.devices.close(device.fd);
    this.#parking.delete(device);
    this.#closing.get(device)?.();
    this.#closing.delete(device);
    device.close();
  }

  /** What goes into the device of a link waits from now on. @param packet one more has come (each batch) */
  park(device: TunDevice, packet: () => void): void {
    this.#dataPath.devices.park(device.fd);
    this.#parking.set(device, packet);
  }

  /** Sends what has waited, from the address `to` where its sender took `from`. */
  unpark(device: TunDevice, from: number, to: number): void {
    this.#parking.delete(device);
    this.#dataPath.unpark(device.fd, from, to, clock.monotonic());
    this.flush();
  }

  /** An IPv4 packet to every caller on the device but the one it is from. */
  spread(device: TunDevice, packet: Uint8Array): void {
    const now = clock.monotonic();
    let slot = 0;
    do {
      slot = this.#dataPath.spread(device.fd, packet, slot, now);
      this.#settle(now);
    } while (slot !== -1 && !this.#broken);
  }

  /** IP flows between the call and the device from now on. */
  attach(path: CallPath, device: TunDevice, tunnel: Tunnel): void {
    const { localAddress, peerAddress, routes, ipv6, inform } = tunnel;
    this.#dataPath.devices.attach(path.slot, device.fd, {
      localAddress,
      peerAddress,
      prefixes: routes,
    });
    this.#dataPath.calls.setInform(path.slot, inform);
    this.setIpv6(path, ipv6);
  }

  /** What IPv6 passes from now on; nothing happens while the call is not attached. */
  setIpv6(path: CallPath, ipv6: Tunnel['ipv6']): void {
    const { calls, devices } = this.#dataPath;
    if (!devices.isAttached(path.slot)) return;
    const hasMachine = ipv6?.prefixes !== undefined;
    calls.setIpv6(path.slot, ipv6 && { local: ipv6.local, peer: ipv6.peer, hasMachine });
    devices.setIpv6Prefixes(path.slot, ipv6?.prefixes ?? []);
  }

  /** What the device of a link has in IPv6. @param exclusive nothing else passes */
  giveIpv6(device: TunDevice, prefixes: readonly Ipv6Prefix[], exclusive: boolean): void {
    this.#dataPath.devices.setGivenIpv6(device.fd, prefixes, exclusive);
  }

  detach(path: CallPath): void {
    this.#dataPath.devices.detach(path.slot);
  }

  /** Closes the calls of a machine that has thrown. */
  release(machine: object): void {
    this.#guarded(() => this.paths.release(machine))();
  }

  /** Sends everything that is queued. */
  readonly flush = this.#guarded(() => {
    this.#flushIsDue = false;
    const dataPath = this.#dataPath;
    const { output } = dataPath;
    dataPath.seal();
    let taken = 0;
    if (output.greCount > 0 && !this.#socketFull) {
      taken = this.#gre.send(output.gre, output.greCount);
      this.#socketFull = taken < output.greCount;
      if (this.capture !== undefined) this.#captureGre(output.gre, greSendWords, taken, 'out');
    }
    if (output.tunCount > 0) sendTun(this.#io, output.tun, output.tunCount);
    dataPath.sent(taken);
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
      gre: this.#gre.counters(),
      calls: this.#dataPath.totals(),
      flood_frames: this.paths.floodFrames,
    };
  }

  /** See DataPath. */
  waits(): ReturnType<DataPath['waits']> {
    return this.#dataPath.waits();
  }

  close(): void {
    this.flush();
    this.#drive.remove(this.#deadlines);
    this.#gre.close();
  }

  /** What fails within is no peer's fault, but leaves the engine itself in doubt. */
  #guarded(act: (argument: number) => void): (argument?: number) => void {
    return (argument = 0) => {
      if (this.#broken) return;
      try {
        act(argument);
      } catch (error) {
        this.#fail(error);
      }
    };
  }

  #fail(error: unknown): void {
    this.#broken = true;
    this.#failed(error);
  }

  #resume(): void {
    this.#socketFull = false;
    while (this.#dataPath.output.blocked && !(this.#socketFull as boolean)) {
      this.#dataPath.resume();
      this.flush(); // which may find it full again
    }
  }

  #receiveGre(count: number): void {
    if (this.capture !== undefined) this.#captureGre(this.#greIn, greReceiveWords, count, 'in');
    const now = clock.monotonic();
    this.#dataPath.receiveGre(this.#greIn, count, now);
    this.#settle(now);
  }

  #receiveTun(device: TunDevice, count: number): void {
    const now = clock.monotonic();
    if (this.#dataPath.receiveTun(device.fd, this.#tunIn, count, now))
      this.#parking.get(device)?.();
    this.#settle(now);
  }

  /** The machines deal with their control frames, everything is sent, and the next deadline noted. */
  #settle(now: number): void {
    this.paths.feed(now);
    this.flush();
    this.#drive.touched(this.#deadlines);
  }

  /** A machine has queued something: it is sent when all have had their say. */
  #queued(): void {
    if (this.#dataPath.output.greCount >= this.#arena.outSlots.count / 2) this.flush();
    else if (!this.#flushIsDue) {
      this.#flushIsDue = true;
      queueMicrotask(this.flush);
    }
  }

  #captureGre(meta: Int32Array, words: number, count: number, direction: 'in' | 'out'): void {
    for (let at = 0; at < count * words; at += words) {
      const octets = this.#arena.octets.subarray(meta[at], meta[at]! + meta[at + 1]!);
      this.capture?.gre(direction, meta[at + 2]! >>> 0, meta[at + 3]! >>> 0, octets);
    }
  }
}
