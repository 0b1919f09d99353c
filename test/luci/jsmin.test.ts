import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Node } from 'acorn';
import { sources, syntaxTree } from '../../tools/luci/sources.ts';
import { jsmin } from './jsmin.ts';

/** A syntax tree without places, and without how a literal is spelt. */
function shape(node: Node): unknown {
  return JSON.parse(
    JSON.stringify(node, (key, value: unknown) =>
      ['start', 'end', 'loc', 'raw'].includes(key) ? undefined : value,
    ),
  );
}

describe('jsmin changes no program', () => {
  for (const { path, text } of sources())
    test(path, () => {
      const small = jsmin(text);
      assert.ok(small.length < text.length);
      assert.deepEqual(shape(syntaxTree(small)), shape(syntaxTree(text)));
    });
});

test('jsmin breaks what it is known to break', () => {
  assert.equal(jsmin('const a = 1 // one\nconst b = 2'), 'const a=1\nconst b=2');
  assert.equal(jsmin('a = b + +c;'), 'a=b+ +c;');
  assert.equal(jsmin("x = '// no comment';"), "x='// no comment';");
  assert.equal(jsmin('return a\n.b'), 'return a.b');
  // A string on a line of its own joins the line before it.
  assert.equal(jsmin("'use strict'\n'require uci'"), "'use strict''require uci'");
  // A regular expression is not recognized after a word: the quote in it opens a string.
  assert.throws(() => jsmin('return /"/.test(a);'), /unterminated string/);
});
