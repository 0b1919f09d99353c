/** Our attributes are those of FreeRADIUS' dictionaries: number, vendor, tag and how they are hidden. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { radiusAttributes, type Declaration } from '../../src/wire/radius-attributes.ts';
import { taggedInteger, taggedText } from '../../src/wire/radius-values.ts';

const files: Readonly<Record<string, number | undefined>> = {
  ...Object.fromEntries(
    [2865, 2866, 2867, 2868, 2869, 3162, 3576, 4818, 5176, 6911].map((rfc) => [
      `rfc${rfc}`,
      undefined,
    ]),
  ),
  microsoft: 311,
  ascend: 529,
  wispr: 14122,
  mikrotik: 14988,
};

interface Line {
  readonly vendor: number | undefined;
  readonly type: number;
  readonly flags: string;
}

const known = new Map<string, Line>();
for (const [file, vendor] of Object.entries(files)) {
  const text = readFileSync(`/usr/share/freeradius/dictionary.${file}`, 'utf8');
  for (const [, name, type, flags] of text.matchAll(/^ATTRIBUTE\s+(\S+)\s+(\d+)\s+\S+(.*)$/gm))
    known.set(name!.toLowerCase(), { vendor, type: Number(type), flags: flags! });
}

const encryption = { 'user-password': 'encrypt=1', salt: 'encrypt=2' } as const;

for (const [name, declared] of Object.entries(radiusAttributes))
  test(name, () => {
    const { vendor, type, hiding, value }: Declaration<never> = declared as never;
    const line = known.get(name.toLowerCase());
    assert.ok(line !== undefined, 'it is in no dictionary');
    assert.deepEqual([vendor, type], [line.vendor, line.type]);
    assert.equal(/encrypt=\d/.exec(line.flags)?.[0], hiding && encryption[hiding]);
    const isTagged = value === (taggedInteger as unknown) || value === (taggedText as unknown);
    assert.equal(isTagged, line.flags.includes('has_tag'));
  });
