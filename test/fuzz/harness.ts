/**
 * A harness: what a part of the program is tried with, and what must hold whatever that is. One small file each in
 * harnesses/; runner.ts has seeds, time, minimising and corpora, so that a harness has none of them.
 */
import type { Random } from './random.ts';

/** Plain data, so that an input can be written down and made smaller: a number, text, octets, a list, a record. */
export type Plain =
  | undefined
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | readonly Plain[]
  | { readonly [name: string]: Plain };

export interface Harness<Input extends Plain = Plain> {
  readonly name: string;
  /** Inputs of a second, at least, on a slow machine: what is slower hangs. */
  readonly slow?: true;
  generate(random: Random): Input;
  /** Throws where something does not hold. Takes smaller inputs of the same shape too. */
  run(input: Input): void | Promise<void>;
}

/** The type of the input stays the harness's own business. */
export function harness<Input extends Plain>(definition: Harness<Input>): Harness {
  return { ...definition, run: (input) => definition.run(input as Input) };
}
