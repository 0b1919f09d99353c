/** The checks that every table of options must pass. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isMalformed } from '../../src/wire/codec.ts';
import type { OptionTable } from '../../src/wire/option.ts';

export interface OptionSample<O> {
  readonly option: O;
  /** The whole option: type, length, data. */
  readonly octets: Uint8Array;
  /** May its data have any length from the shortest on? */
  readonly open?: true;
}

/** Registers tests of `table`: its samples both ways, wrong lengths, all samples in one packet, any octets. */
export function checkOptions<O extends { readonly name: unknown }>(
  table: OptionTable<O>,
  samples: readonly OptionSample<O>[],
): void {
  for (const { option, octets, open } of samples) {
    describe(`option ${String(option.name)} (${octets.join(' ')})`, () => {
      it('is read and written as laid out', () => {
        assert.deepEqual(table.decode(octets), [option]);
        assert.deepEqual(table.encode([option]), octets);
      });

      if (open) return;
      it('is malformed with an octet more', () => {
        const longer = Uint8Array.of(octets[0]!, octets[1]! + 1, ...octets.subarray(2), 0);
        const again = table.decode(longer);
        assert.ok(!isMalformed(again));
        assert.notDeepEqual(again, [option]);
        // Whatever became of it, it goes back as it came.
        assert.deepEqual(table.encode(again), longer);
      });
    });
  }

  it('are read in their order, all in one packet', () => {
    const octets = Uint8Array.from(samples.flatMap((sample) => [...sample.octets]));
    const options = samples.map(({ option }) => option);
    assert.deepEqual(table.decode(octets), options);
    assert.deepEqual(table.encode(options), octets);
  });

  it('come from any octets without throwing and go back octet for octet', () => {
    const types = samples.map(({ octets }) => octets[0]!);
    const likely = fc
      .array(fc.tuple(fc.constantFrom(...types, 99), fc.uint8Array({ maxLength: 9 })), {
        maxLength: 6,
      })
      .map((list) =>
        Uint8Array.from(list.flatMap(([type, data]) => [type, data.length + 2, ...data])),
      );
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 40 }), likely), (octets) => {
        const options = table.decode(octets);
        if (!isMalformed(options)) assert.deepEqual(table.encode(options), octets);
      }),
      { numRuns: 300 },
    );
  });
}
