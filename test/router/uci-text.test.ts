import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseUci } from '../../src/router/uci.ts';
import {
  optionLines,
  sectionText,
  withLinesBelow,
  withSection,
} from '../../src/router/uci-text.ts';

test('a section as the uci command writes it', () => {
  assert.equal(
    sectionText('user', 'anna', { password: "it's", server: ['home', 'lab'], ipaddr: undefined }),
    "config user 'anna'\n\toption password 'it'\\''s'\n\tlist server 'home'\n\tlist server 'lab'\n",
  );
  assert.equal(sectionText('user', undefined, {}), 'config user\n');
});

test('whatever is written is read again', () => {
  const value = fc
    .string({ unit: 'binary' })
    .filter((text) => !/\p{Cc}/u.test(text.replaceAll('\t', '')));
  const name = fc.stringMatching(/^[A-Za-z0-9_]{1,8}$/);
  fc.assert(
    fc.property(
      name,
      name,
      value,
      fc.array(value, { minLength: 1, maxLength: 3 }),
      (type, section, one, many) => {
        const { sections, faults } = parseUci('x', sectionText(type, section, { one, many }));
        assert.deepEqual(faults, []);
        assert.equal(sections.length, 1);
        assert.deepEqual([sections[0]!.type, sections[0]!.name], [type, section]);
        assert.deepEqual(sections[0]!.values.get('one')?.values, [one]);
        assert.deepEqual(sections[0]!.values.get('many')?.values, many);
      },
    ),
  );
});

test('what would be another line, and names that are none, are refused', () => {
  for (const value of ['a\nb', 'a\r', '\u0000', '\u001b[2J'])
    assert.throws(() => optionLines({ password: value }), RangeError);
  assert.throws(() => sectionText('user', "a' b", {}), RangeError);
  assert.throws(() => optionLines({ 'a b': '1' }), RangeError);
});

test('what stands in a file stays', () => {
  const file = "# of mine\nconfig user 'anna' # her\n\toption username 'anna'";
  const more = withSection(file, sectionText('user', 'bert', {}));
  assert.equal(more, `${file}\n\nconfig user 'bert'\n`);
  assert.equal(withSection('', sectionText('user', 'bert', {})), "config user 'bert'\n");
  assert.equal(
    withLinesBelow(file, 2, optionLines({ enabled: '0' })),
    "# of mine\nconfig user 'anna' # her\n\toption enabled '0'\n\toption username 'anna'",
  );
});
