/**
 * Programs of the kernel's BPF machine (eBPF), as text of ours: RFC 9669, linux/bpf.h.
 *
 * Eleven registers of 64 bits: r0 has results, r1 to r5 arguments (a call spoils them), r6 to r9 are the program's, r10 is the
 * end of its 512 octets of stack. All CPUs that we run on are little-endian: what lies in a packet in network order is compared
 * and copied as it lies there.
 */

export type Register = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10;

/** BPF_MEM | BPF_W and so on: RFC 9669 §5. */
const SIZES = { 1: 0x10, 2: 0x08, 4: 0x00, 8: 0x18 } as const;
export type Size = keyof typeof SIZES;

/** RFC 9669 §4.1 */
const OPERATIONS = { add: 0x00, or: 0x40, and: 0x50, shiftRight: 0x70, xor: 0xa0, move: 0xb0 };
/** RFC 9669 §4.3; unsigned. */
const CONDITIONS = { equal: 0x10, greater: 0x20, different: 0x50, lessOrEqual: 0xb0 };

/** Of linux/bpf.h: BPF_FUNC_… */
export const Helper = {
  LookUp: 1,
  PullData: 39,
  ChangeHead: 43,
  UpdateChecksum: 40,
  RedirectToNeighbour: 152,
} as const;

const PSEUDO_MAP = 1;
const INSTRUCTION = 8;

interface Jump {
  readonly at: number;
  readonly label: string;
}

export class Assembler {
  readonly #octets: number[] = [];
  readonly #labels = new Map<string, number>();
  readonly #jumps: Jump[] = [];

  /** to = from, operation and the like on 64 bits: with a register, or a number of 32 bits that is extended by its sign. */
  calculate(operation: keyof typeof OPERATIONS, to: Register, by: Operand): this {
    return this.#withOperand(0x07 | OPERATIONS[operation], to, by);
  }

  /** to = the octets at from + offset, as they lie, filled up with zeros. */
  load(size: Size, to: Register, from: Register, offset: number): this {
    return this.#emit(0x61 | SIZES[size], to, from, offset, 0);
  }

  store(size: Size, to: Register, offset: number, from: Register): this {
    return this.#emit(0x63 | SIZES[size], to, from, offset, 0);
  }

  /** Adds to the 64 bits at to + offset, whoever else does. */
  addAtomically(to: Register, offset: number, from: Register): this {
    return this.#emit(0xdb, to, from, offset, 0);
  }

  loadMap(to: Register, descriptor: number): this {
    this.#emit(0x18, to, PSEUDO_MAP, 0, descriptor);
    return this.#emit(0, 0, 0, 0, 0);
  }

  /** to = its lower 16 bits with their octets changed over. */
  swap16(to: Register): this {
    return this.#emit(0xdc, to, 0, 0, 16);
  }

  jump(label: string): this {
    this.#jumps.push({ at: this.#octets.length, label });
    return this.#emit(0x05, 0, 0, 0, 0);
  }

  jumpIf(condition: keyof typeof CONDITIONS, one: Register, other: Operand, label: string): this {
    this.#jumps.push({ at: this.#octets.length, label });
    return this.#withOperand(0x05 | CONDITIONS[condition], one, other);
  }

  label(name: string): this {
    this.#labels.set(name, this.#octets.length);
    return this;
  }

  call(helper: number): this {
    return this.#emit(0x85, 0, 0, 0, helper);
  }

  return(): this {
    return this.#emit(0x95, 0, 0, 0, 0);
  }

  /** @returns struct bpf_insn records */
  assemble(): Uint8Array {
    const octets = Uint8Array.from(this.#octets);
    const view = new DataView(octets.buffer);
    for (const { at, label } of this.#jumps) {
      const target = this.#labels.get(label);
      if (target === undefined) throw new Error(`no label ${label}`);
      view.setInt16(at + 2, (target - at) / INSTRUCTION - 1, true);
    }
    return octets;
  }

  /** BPF_X where the operand is a register, else BPF_K. */
  #withOperand(code: number, to: Register, operand: Operand): this {
    return typeof operand === 'number'
      ? this.#emit(code, to, 0, 0, operand)
      : this.#emit(code | 0x08, to, operand.register, 0, 0);
  }

  #emit(code: number, to: Register, from: Register, offset: number, immediate: number): this {
    const octets = new DataView(new ArrayBuffer(INSTRUCTION));
    octets.setUint8(0, code);
    octets.setUint8(1, to | (from << 4));
    octets.setInt16(2, offset, true);
    octets.setInt32(4, immediate, true);
    this.#octets.push(...new Uint8Array(octets.buffer));
    return this;
  }
}

export type Operand = number | { readonly register: Register };
