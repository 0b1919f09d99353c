/**
 * The native addon: its functions as TypeScript sees them, and how it is found.
 *
 * Only src/native calls these; everybody else uses IoContext, TunDevice and GreSocket. Every function throws TypeError or
 * RangeError for arguments that cannot be right (also a descriptor that was closed) and IoError where the kernel refuses.
 */
import { errorText } from '../platform/errors.ts';
import { files, program } from '../platform/platform.ts';
import { IoError } from './io-error.ts';

declare const contextBrand: unique symbol;

/** An arena and the state of the calls that move its octets. Opaque. */
export interface ContextHandle {
  readonly [contextBrand]: true;
}

/** A descriptor's counters as the addon hands them over; `errors` is errno, count, errno, count … */
export interface RawCounters {
  readonly received: number;
  readonly sent: number;
  readonly truncated: number;
  readonly malformed: number;
  readonly overflow: number;
  readonly errors: readonly number[];
}

export interface Addon {
  initialize(makeError: (errno: number, syscall: string, subject?: string) => Error): void;
  createContext(arena: ArrayBuffer): ContextHandle;
  /** `offload`: large packets between kernel and addon, where the kernel can; the answer says whether it can. */
  openTun(name: string, offload: boolean): { fd: number; name: string; offload: boolean };
  /** Of a device that the program before had open. */
  adoptTun(fd: number): { fd: number; name: string; offload: boolean };
  openGre(): number;
  adoptGre(fd: number): number;
  /** `program`: struct sock_filter records in host order; replaces the socket's filter. */
  attachFilter(fd: number, program: Uint8Array): void;
  watch(
    context: ContextHandle,
    fd: number,
    slotBase: number,
    slotSize: number,
    slotCount: number,
    headroom: number,
    meta: Int32Array,
    /** Packets in `meta`, or a negative errno once: the device is gone and no longer watched. */
    onBatch: (count: number) => void,
  ): void;
  close(fd: number): void;
  sendGre(context: ContextHandle, fd: number, meta: Int32Array, count: number): number;
  sendTun(context: ContextHandle, meta: Int32Array, count: number): number;
  /** MPPE of a batch of packets, and the change of a key (io-context.ts); an addon may lack them. */
  cryptPackets?: (context: ContextHandle, packets: Int32Array, count: number, used: number) => void;
  changeKey?: (context: ContextHandle, keys: number) => void;
  counters(fd: number): RawCounters;
  originalDestination(fd: number): { address: number; port: number };
  netlinkRequest(protocol: number, request: Uint8Array, answer: Uint8Array): number;
  openNetlink(protocol: number, groups: number): number;
  /** `filter` as attachFilter's program; `group`: 6 octets of Ethernet. */
  openPacket(index: number, filter: Uint8Array, group: Uint8Array): number;
  sendPacket(fd: number, index: number, packet: Uint8Array, to: Uint8Array): void;
  fillRandom(octets: Uint8Array): void;
  giveBack(): void;
  /** flock(2), exclusive, without waiting. */
  lockFile(fd: number): boolean;
  reduceCapabilities(): void;
  reduceThreadCapabilities(tid: number, timeoutMilliseconds: number): void;
  memoryFile(name: string, octets: Uint8Array): number;
  duplicate(fd: number): number;
  openFile(path: string): number;
  claimDescriptor(fd: number): void;
  closeDescriptor(fd: number): void;
  /** `words`, `environment`: strings that each end with a zero octet; comes back only by throwing. */
  become(
    words: Uint8Array,
    environment: Uint8Array,
    descriptors: Int32Array,
    guardSeconds: number,
  ): never;
  holdSignals(isHeld: boolean): void;
  /** `duty`: one of guard.c. */
  setGuard(fd: number, duty: number): void;
  bpfMap(keySize: number, valueSize: number, entries: number): number;
  /** `instructions`: struct bpf_insn records in host order. */
  bpfProgram(instructions: Uint8Array): number;
  bpfAttach(program: number, device: number): number;
  bpfWrite(map: number, key: Uint8Array, value: Uint8Array): void;
  bpfErase(map: number, key: Uint8Array): boolean;
  bpfRead(map: number, key: Uint8Array, value: Uint8Array): boolean;
}

// The bundle has native.node beside it in dist/; run from source, this file is two folders below the root.
const candidates = ['./native.node', '../../dist/native.node'];

/** Environment of a program that was replaced and goes on: its addon is not beside it any more. */
export const GIVEN = 'PPTP_GATEWAY_ADDON';

let loaded: Addon | undefined;

/** The addon, loaded once per thread. @throws {IoError} when it is missing or does not load, saying what to do. */
export function loadAddon(): Addon {
  loaded ??= load();
  return loaded;
}

function load(): Addon {
  const given = program.environment(GIVEN);
  const beside = candidates.map((candidate) =>
    decodeURIComponent(new URL(candidate, import.meta.url).pathname),
  );
  const paths = given === undefined ? beside : [given];
  const path = paths.find((candidate) => files.exists(candidate));
  if (path === undefined) {
    const problem = new IoError(constants.ENOENT, 'dlopen', paths.join(' or '));
    problem.message = `The native addon is missing: neither ${paths.join(' nor ')} exists. Build it first: "make build", or in a package of npm "sh native/build.sh native.node".`;
    throw problem;
  }
  let addon: Addon;
  try {
    addon = program.loadAddon(path) as Addon;
  } catch (error) {
    const problem = new IoError(constants.ELIBBAD, 'dlopen', path);
    const reason = errorText(error);
    problem.message = `The native addon ${path} does not load: ${reason}. It must be built for this CPU and this Node (at least 20).`;
    throw problem;
  }
  addon.initialize((errno, syscall, subject) => new IoError(errno, syscall, subject));
  return addon;
}

const constants = { ENOENT: 2, ELIBBAD: 80 };
