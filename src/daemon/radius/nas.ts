/** This router, as RADIUS servers see it. */
import { host } from '../../platform/platform.ts';
import type { Ipv4 } from '../../wire/brand.ts';
import type { RadiusAttribute } from '../../wire/radius-attributes.ts';
import { textOf } from '../../wire/text.ts';
import type { NasOptions } from '../configuration/radius.ts';

export interface Nas {
  readonly identifier: string;
  /** undefined: the one that the caller has called. */
  readonly address: Ipv4 | undefined;
}

export function nasOf({ identifier, address }: NasOptions): Nas {
  return { identifier: identifier ?? host.name(), address };
}

/** RFC 2865 §5.4, §5.32 */
export function identityOf({ identifier, address }: Nas): readonly RadiusAttribute[] {
  return [
    { name: 'NAS-Identifier', value: textOf(identifier) },
    ...(address === undefined ? [] : [{ name: 'NAS-IP-Address', value: address } as const]),
  ];
}
