/** RFC 1661 §6: options that were read are written as they came, for a Configure-Ack or -Reject repeats them. */
import assert from 'node:assert/strict';
import { ccpOptions } from '../../../src/wire/ccp-options.ts';
import { isMalformed, type Malformed } from '../../../src/wire/codec.ts';
import { ipcpOptions } from '../../../src/wire/ipcp-options.ts';
import { ipv6cpOptions } from '../../../src/wire/ipv6cp-options.ts';
import { lcpOptions } from '../../../src/wire/lcp-options.ts';
import { decodeOptions, encodeOptions } from '../../../src/wire/option.ts';
import { harness } from '../harness.ts';
import { options } from '../messages.ts';
import { same } from '../same.ts';

/** `encode` takes what `decode` of the same table gave. */
interface Table {
  decode(data: Uint8Array): readonly unknown[] | Malformed;
  encode(options: readonly unknown[]): Uint8Array;
}
const tables = [lcpOptions, ipcpOptions, ccpOptions, ipv6cpOptions] as unknown as readonly Table[];

export const pppOptions = harness({
  name: 'ppp-options',
  generate: (random) => ({
    table: random.below(tables.length),
    data: random.chance(6) ? random.anyOctets(300) : options(random),
  }),
  run({ table: nth, data }) {
    const table = tables[nth % tables.length]!;
    const raw = decodeOptions(data);
    const read = table.decode(data);
    assert.equal(isMalformed(raw), isMalformed(read));
    if (isMalformed(raw) || isMalformed(read)) return;
    assert.ok(same(encodeOptions(raw), data));
    assert.ok(same(table.encode(read), data));
    assert.ok(raw.length <= data.length / 2);
  },
});
