/** The help pages of LuCI: what they are made of, and that each place that is linked to is there. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { helpPages, helpTarget } from '../../../tools/docs/help.ts';
import { htmlOf } from '../../../tools/docs/html.ts';
import { constant, calls, sources, syntaxTree } from '../../../tools/luci/sources.ts';

const root = resolve(import.meta.dirname, '../../..');
const bodyOf = (page: string) =>
  /<body>\n(.*)\n<\/body>/s.exec(
    htmlOf(page, (link) => (link === 'gone.md' ? undefined : link)),
  )?.[1];

test('what a page has', () => {
  assert.match(
    htmlOf('# A & B\n', () => undefined),
    /<title>A &amp; B<\/title>/,
  );
  for (const [markdown, html] of [
    ['## Behind `x` & y', '<h2 id="behind-x--y">Behind <code>x</code> &amp; y</h2>'],
    ['two\nlines\n\nmore', '<p>two\nlines</p>\n<p>more</p>'],
    ['<!-- options:begin -->\ntext', '<p>text</p>'],
    ['- a\n- b\n  goes on', '<ul>\n<li>a</li>\n<li>b\ngoes on</li>\n</ul>'],
    ['1. a\n2. b', '<ol>\n<li>a</li>\n<li>b</li>\n</ol>'],
    ['```sh not-run\n# a <b>\n\n- c\n```\ntext', '<pre># a &lt;b&gt;\n\n- c</pre>\n<p>text</p>'],
    ['| a | |\n|---|---|\n| `b\\|c` | *d* |', '<table>\n<tr><th>a</th><th></th></tr>\n<tr><td><code>b|c</code></td><td><em>d</em></td></tr>\n</table>'], // prettier-ignore
    ['**[a `b`](c.md#d)**: `*[x](y)*`', '<p><strong><a href="c.md#d">a <code>b</code></a></strong>: <code>&#42;&#91;x](y)&#42;</code></p>'], // prettier-ignore
    ['[c.md](c.md), [gone.md](gone.md)', '<p><a href="c.md">c</a>, gone</p>'],
    ['a < "b"', '<p>a &lt; &quot;b&quot;</p>'],
  ] as const)
    assert.equal(bodyOf(markdown), html);
  assert.equal(bodyOf('![picture](x.png)\n![another](y.png)')?.trim(), '');
});

test('a link leads to a help page, to a place in the page, or nowhere', () => {
  assert.equal(helpTarget('home-vpn.md'), 'home-vpn.html');
  assert.equal(helpTarget('troubleshooting.md#double-nat'), 'troubleshooting.html#double-nat');
  assert.equal(helpTarget('#double-nat'), '#double-nat');
  for (const link of ['architecture.md', '../SECURITY.md', 'https://example.org/home-vpn.md'])
    assert.equal(helpTarget(link), undefined);
});

test('every help page can be made, and what it links to is there', () => {
  const pages = new Map(
    helpPages.map((name) => [
      `${name}.html`,
      htmlOf(readFileSync(join(root, 'docs', `${name}.md`), 'utf8'), helpTarget),
    ]),
  );
  let links = 0;
  for (const [name, html] of pages)
    for (const [, page, anchor] of html.matchAll(/href="([^"#]*)#?([^"]*)"/g)) {
      links++;
      const there = pages.get(page === '' ? name : page!);
      assert.ok(there !== undefined, `${name}: ${page}`);
      assert.ok(anchor === '' || there.includes(`id="${anchor}"`), `${name}: ${page}#${anchor}`);
    }
  assert.ok(links > 30);
});

test('every page of LuCI has its help', () => {
  const asked = sources().flatMap(({ module, text }) =>
    module.startsWith('view.pptp-gateway.')
      ? calls(syntaxTree(text))
          .filter(({ callee }) => callee === 'notices.box')
          .map(({ arguments: [page] }) => constant(page) as string)
      : [],
  );
  assert.equal(asked.length, 9);
  for (const page of asked) assert.ok(helpPages.includes(page), page);
});
