/**
 * What we use of WebAssembly, which has no types without those of a browser; and whether it is there: Node started with
 * --jitless has none, and a limit on address space leaves no room for its memories.
 */
import { MPPE_WASM } from './binary.ts';

export interface WasmMemory {
  readonly buffer: ArrayBuffer;
}

/** mppe.as; addresses are octets in the memory. */
export interface MppeExports {
  keysAt(): number;
  prepareFirst(bits: number): void;
  prepareSecond(bits: number): void;
  change(bits: number): void;
  apply(at: number, length: number): void;
  applyBoth(at: number, length: number, at2: number, length2: number): void;
}

declare const WebAssembly:
  | {
      readonly Memory: new (pages: { initial: number; maximum: number }) => WasmMemory;
      readonly Module: new (binary: Uint8Array) => object;
      readonly Instance: new (
        module: object,
        imports: { env: { memory: WasmMemory } },
      ) => { readonly exports: unknown };
    }
  | undefined;

const PAGE = 65536;
/** Octets at the start of the memory that are the program's own. */
export const WASM_RESERVED = PAGE;

/** A memory of at least `size` octets that stays where it is for ever, or undefined: there is no WebAssembly. */
export function createWasmMemory(size: number): WasmMemory | undefined {
  if (typeof WebAssembly === 'undefined') return undefined;
  const pages = Math.ceil(size / PAGE);
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages });
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** mppe.as at work in the memory. */
export function instantiateMppe(memory: WasmMemory): MppeExports {
  const { Module, Instance } = WebAssembly!;
  const binary = Uint8Array.from(atob(MPPE_WASM), (octet) => octet.charCodeAt(0));
  return new Instance(new Module(binary), { env: { memory } }).exports as MppeExports;
}
