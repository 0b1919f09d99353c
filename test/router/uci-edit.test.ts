import assert from 'node:assert/strict';
import { test } from 'node:test';
import { editUci } from '../../src/router/uci-edit.ts';
import { parseUci } from '../../src/router/uci.ts';

const hash = '8846f7eaee8fb117ad06bdd830b7586c';
const edits = { password: undefined, nthash: hash, must_change: undefined };

const text = `# who may dial in
config user 'anna'
	option username 'anna'   # Anna of the accounts
	option password "it's\\"old" # since May
	option must_change '1'
	list server 'home'

config user
	option username 'bert'; option password 'pw'

# the end
config user 'carl'
	option username carl
	option nthash 00000000000000000000000000000000
	option password 'twice'`;

test('one section has the new options, everything else stays to the letter', () => {
  assert.equal(
    editUci(text, 'user', 'anna', edits),
    text
      .replace(
        `option password "it's\\"old" # since May\n\toption must_change '1'\n`,
        ` # since May\n`,
      )
      .replace("\tlist server 'home'", `\tlist server 'home'\n\toption nthash '${hash}'`),
  );
  assert.equal(
    editUci(text, 'user', '@user[1]', edits),
    text.replace("option password 'pw'", `\n\toption nthash '${hash}'`),
  );
  const carl = editUci(text, 'user', 'carl', edits)!;
  assert.equal(
    carl,
    text
      .replace('option nthash 00000000000000000000000000000000', `option nthash '${hash}'`)
      .replace("\toption password 'twice'", ''),
  );
});

test('what is read afterwards is what was asked for, in any section, however it is written', () => {
  const merged = `${text}\n\nconfig user 'anna'\n\toption password 'later'\n\toption nthash 'x'`;
  for (const source of [text, `${text}\n`, merged, text.replaceAll('\n', '\r\n')]) {
    const before = parseUci('f', source).sections;
    for (const { name } of before) {
      const edited = editUci(source, 'user', name, edits);
      assert(edited !== undefined);
      const { sections, faults } = parseUci('f', edited);
      assert.deepEqual(faults, []);
      assert.deepEqual(
        sections.map((each) => each.name),
        before.map((each) => each.name),
      );
      for (const [at, { values }] of sections.entries()) {
        const plain = ({ values: all }: (typeof sections)[number]) =>
          [...all].map(([option, value]) => [option, value.values]).sort();
        if (sections[at]!.name !== name) assert.deepEqual(plain(sections[at]!), plain(before[at]!));
        else {
          assert.deepEqual(values.get('nthash')?.values, [hash]);
          assert(!values.has('password') && !values.has('must_change'));
          assert.deepEqual(values.get('username'), {
            ...before[at]!.values.get('username')!,
            line: values.get('username')!.line,
          });
        }
      }
    }
  }
});

test('no such section, another type of the name, or no UCI at all', () => {
  assert.equal(editUci(text, 'user', 'dora', edits), undefined);
  assert.equal(editUci(text, 'group', 'anna', edits), undefined);
  assert.equal(editUci(`${text}\noption x 'open`, 'user', 'anna', edits), undefined);
});
