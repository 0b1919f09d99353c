/** Classic BPF, as SO_ATTACH_FILTER takes it: linux/filter.h. */

export const maximumInstructions = 4096; // BPF_MAXINSNS

/** Codes of linux/bpf_common.h; a load beyond the packet's end drops it. */
export const LD_OCTET = 0x30; // BPF_LD | BPF_B | BPF_ABS
export const LD_HALF = 0x28; // BPF_LD | BPF_H | BPF_ABS
export const LD_WORD = 0x20; // BPF_LD | BPF_W | BPF_ABS
export const LDX_IP_HEADER_LENGTH = 0xb1; // BPF_LDX | BPF_B | BPF_MSH
export const LD_WORD_AT_X = 0x40; // BPF_LD | BPF_W | BPF_IND
export const LD_HALF_AT_X = 0x48; // BPF_LD | BPF_H | BPF_IND
export const AND = 0x54; // BPF_ALU | BPF_AND | BPF_K
export const JUMP = 0x05; // BPF_JMP | BPF_JA
export const JUMP_IF_EQUAL = 0x15; // BPF_JMP | BPF_JEQ | BPF_K
export const JUMP_IF_GREATER_OR_EQUAL = 0x35; // BPF_JMP | BPF_JGE | BPF_K
export const JUMP_IF_SET = 0x45; // BPF_JMP | BPF_JSET | BPF_K
export const RETURN = 0x06; // BPF_RET | BPF_K

export const everything = 0xffff_ffff;
export const nothing = 0;

export interface Instruction {
  readonly code: number;
  readonly jt: number;
  readonly jf: number;
  readonly k: number;
}

export function statement(code: number, k: number): Instruction {
  return { code, jt: 0, jf: 0, k };
}

const littleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** @returns struct sock_filter records in host order */
export function assemble(program: readonly Instruction[]): Uint8Array {
  const octets = new Uint8Array(program.length * 8);
  const view = new DataView(octets.buffer);
  program.forEach(({ code, jt, jf, k }, i) => {
    view.setUint16(i * 8, code, littleEndian);
    view.setUint8(i * 8 + 2, jt);
    view.setUint8(i * 8 + 3, jf);
    view.setUint32(i * 8 + 4, k, littleEndian);
  });
  return octets;
}
