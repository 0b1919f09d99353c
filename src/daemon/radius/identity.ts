/** This router, as RADIUS servers see it. */
import { host } from '../../platform/platform.ts';
import type { RadiusAttribute } from '../../wire/radius-attributes.ts';
import { textOf } from '../../wire/text.ts';
import type { NasOptions } from '../configuration/radius.ts';

/** RFC 2865 §5.4, §5.32 */
export function identityOf({ identifier, address }: NasOptions): readonly RadiusAttribute[] {
  return [
    { name: 'NAS-Identifier', value: textOf(identifier ?? host.name()) },
    ...(address === undefined ? [] : [{ name: 'NAS-IP-Address', value: address } as const]),
  ];
}
