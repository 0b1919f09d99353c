/** UCI text: whatever stands there is read or a fault of its line; what we write reads as it was; the rest of a file stays. */
import assert from 'node:assert/strict';
import { parseUci } from '../../../src/router/uci.ts';
import {
  optionLines,
  sectionText,
  withLinesBelow,
  withSection,
} from '../../../src/router/uci-text.ts';
import { harness } from '../harness.ts';
import type { Random } from '../random.ts';
import { SECRET, uciText, uciWords } from '../uci-texts.ts';

function value(random: Random): string {
  return random.list(5, () => random.word([...uciWords, 'a', 'b c'])).join('');
}

export const uci = harness({
  name: 'uci',
  generate: (random) => ({
    text: uciText(random),
    value: value(random),
    list: random.list(3, () => value(random)),
  }),
  run({ text, value: one, list }) {
    const { sections, faults } = parseUci('network', text);
    const lines = text.split('\n').length;
    for (const { line, message } of faults) {
      assert.ok(line >= 1 && line <= lines);
      assert.ok(!message.includes(SECRET), 'a secret in a fault');
    }
    const names = new Set<string>();
    for (const { type, name, line, values } of sections) {
      assert.ok(line >= 1 && line <= lines);
      assert.ok(!names.has(`${type} ${name}`), 'two sections of one name');
      names.add(`${type} ${name}`);
      for (const [option, { values: words, list: isList }] of values) {
        assert.match(option, /^\w+$/);
        assert.ok(isList ? words.length > 0 : words.length === 1);
      }
    }
    let section: string;
    try {
      section = sectionText('thing', 'written', { one, list });
    } catch (error) {
      assert.ok(error instanceof RangeError);
      return;
    }
    const [written, ...more] = parseUci('x', section).sections;
    assert.equal(more.length, 0);
    assert.deepEqual(written?.values.get('one')?.values, [one]);
    assert.deepEqual(written.values.get('list')?.values ?? [], list);
    if (faults.length > 0) return;
    const longer = parseUci('network', withSection(text, section));
    assert.equal(longer.faults.length, 0);
    const isThere = names.has('thing written');
    assert.equal(longer.sections.length, sections.length + (isThere ? 0 : 1));
    const [first] = sections;
    if (first === undefined || text.split('\n')[first.line - 1]?.includes(';') === true) return;
    const lined = parseUci(
      'network',
      withLinesBelow(text, first.line, optionLines({ one_more: 'x' })),
    );
    assert.equal(lined.sections.length, sections.length);
  },
});
