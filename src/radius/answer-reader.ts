/** Reads attributes of an answer and keeps what was wrong with them. */
import { isMalformed, type Malformed } from '../wire/codec.ts';
import type { DecodedRadiusPacket } from '../wire/radius.ts';
import {
  radiusValue,
  radiusValues,
  type RadiusAttribute,
  type RadiusAttributeName,
  type RadiusValue,
} from '../wire/radius-attributes.ts';

export class AnswerReader {
  readonly #attributes: readonly RadiusAttribute[];
  /** Name and reason of each wrong value. */
  readonly faults: string[];

  constructor({ attributes, faults }: DecodedRadiusPacket) {
    this.#attributes = attributes;
    this.faults = [...faults];
  }

  /** The first of them. */
  value<N extends RadiusAttributeName>(name: N): RadiusValue<N> | undefined {
    return radiusValue(this.#attributes, name);
  }

  values<N extends RadiusAttributeName>(name: N): RadiusValue<N>[] {
    return radiusValues(this.#attributes, name);
  }

  /** The value, or undefined and a fault. */
  checked<T>(name: RadiusAttributeName, value: T | Malformed): T | undefined {
    if (!isMalformed(value)) return value;
    this.fault(name, value.detail);
    return undefined;
  }

  fault(name: RadiusAttributeName, detail: string | number): void {
    this.faults.push(`${name}: ${detail}`);
  }
}
