/**
 * The classic BPF program that lets only our calls' GRE reach the socket.
 *
 * It sees the packet from the IPv4 header on. A binary search over the sorted call ids ends in a short run of
 * comparisons; conditional jumps reach 255 instructions, so far ones go by an unconditional jump.
 */

import {
  AND,
  assemble,
  everything,
  JUMP,
  JUMP_IF_EQUAL,
  JUMP_IF_GREATER_OR_EQUAL,
  LD_HALF_AT_X,
  LD_WORD_AT_X,
  LDX_IP_HEADER_LENGTH,
  maximumInstructions,
  nothing,
  RETURN,
  statement,
  type Instruction,
} from './bpf.ts';

const runLength = 16;

/**
 * RFC 2637 §4.1: C and R clear, K set, version 1, protocol type 0x880b; and one of `callIds` in the low half of the Key
 * field, or any where it is `null`.
 * @returns struct sock_filter records in host order, or null when so many call ids do not fit a program
 */
export function greFilter(callIds: Uint16Array | null): Uint8Array | null {
  const program: Instruction[] = [
    statement(LDX_IP_HEADER_LENGTH, 0),
    statement(LD_WORD_AT_X, 0),
    statement(AND, 0xe007_ffff),
    { code: JUMP_IF_EQUAL, jt: 1, jf: 0, k: 0x2001_880b },
    statement(RETURN, nothing),
    // Also proves that the Key field is there.
    statement(LD_HALF_AT_X, 6),
  ];
  if (callIds === null) program.push(statement(RETURN, everything));
  else program.push(...search([...new Set(callIds)].sort((a, b) => a - b)));
  return program.length > maximumInstructions ? null : assemble(program);
}

function search(sorted: readonly number[]): Instruction[] {
  if (sorted.length <= runLength) return run(sorted);
  const middle = sorted.length >> 1;
  const below = search(sorted.slice(0, middle));
  const above = search(sorted.slice(middle));
  const pivot = sorted[middle]!;
  if (below.length <= 255) {
    return [
      { code: JUMP_IF_GREATER_OR_EQUAL, jt: below.length, jf: 0, k: pivot },
      ...below,
      ...above,
    ];
  }
  return [
    { code: JUMP_IF_GREATER_OR_EQUAL, jt: 0, jf: 1, k: pivot },
    statement(JUMP, below.length),
    ...below,
    ...above,
  ];
}

function run(callIds: readonly number[]): Instruction[] {
  return [
    ...callIds.map((k, i) => ({ code: JUMP_IF_EQUAL, jt: callIds.length - i, jf: 0, k })),
    statement(RETURN, nothing),
    statement(RETURN, everything),
  ];
}
