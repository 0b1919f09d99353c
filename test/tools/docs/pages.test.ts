/**
 * The pages hold together: every link leads somewhere, every block of commands is run by walk.test.ts or says that it is not, every
 * configuration is one that the program takes, and commands in the text exist.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, test } from 'node:test';
import { parseArguments } from '../../../src/daemon/cli/arguments.ts';
import { commandTable } from '../../../src/daemon/cli/command-table.ts';
import { parseConfiguration, uciFiles } from '../../../src/daemon/configuration/configuration.ts';
import { parseUci } from '../../../src/router/uci.ts';
import { anchors, blocks, links, prose, type Block } from '../../../tools/docs/markdown.ts';
import { configurationOf, isRun, walkedPages } from '../../../tools/docs/walk.ts';

const root = resolve(import.meta.dirname, '../../..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const inDocs = readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md'));
const pages = ['README.md', 'SECURITY.md', ...inDocs.map((name) => `docs/${name}`)];
const linking = [
  ...pages,
  'CONTRIBUTING.md',
  'bench/README.md',
  ...['native', 'raw-socket', 'tun-tap', 'ubus-js'].map((floor) => `src/${floor}/README.md`),
];

const commandLanguages = ['sh', 'js', 'powershell', 'routeros', 'pppd', 'nft', 'ini', 'console'];
/** Whether somebody who types it gets what the page says is tested, or the block says that it is not. */
function fault(page: string, { info }: Block): string | undefined {
  const [language, mark, more] = info;
  if (more !== undefined) return 'too many words';
  if (language === 'text') return mark === undefined ? undefined : 'text has no mark';
  if (language === 'uci') return mark === undefined ? 'which file?' : undefined;
  if (!commandLanguages.includes(language ?? '')) return 'which language?';
  if (mark === 'not-run') return undefined;
  if (mark !== undefined && !isRun({ info: [language!, mark], text: '', line: 0 }))
    return `unknown mark ${mark}`;
  if (language !== 'sh' && language !== 'js') return 'only sh and js can be run: say not-run';
  return page.startsWith('docs/') && walkedPages.includes(page.slice(5))
    ? undefined
    : 'nothing runs it: say not-run, or add the page to tools/docs/walk.ts';
}

describe('every block of commands is run, or says that it is not', () => {
  for (const page of pages)
    test(page, () => {
      const marked = blocks(read(page)).map((block) =>
        block.info[0] === 'uci'
          ? { ...block, info: block.info.filter((word) => !/^(at=office|optional)$/.test(word)) }
          : block,
      );
      for (const block of marked)
        assert.equal(
          fault(page, block),
          undefined,
          `${page}:${block.line}: ${block.info.join(' ')}`,
        );
    });

  test('a block that nothing runs is found', () => {
    const [unmarked, marked] = blocks('```sh\nls\n```\n```sh not-run\nls\n```\n');
    assert.ok(isRun(unmarked!) && !isRun(marked!));
    assert.match(fault('README.md', unmarked!) ?? '', /nothing runs it/);
    assert.equal(fault('docs/home-vpn.md', unmarked!), undefined);
    assert.equal(fault('README.md', marked!), undefined);
    assert.match(fault('README.md', { ...marked!, info: [] }) ?? '', /which language/);
    assert.match(fault('docs/home-vpn.md', { ...marked!, info: ['powershell'] }) ?? '', /only sh/);
  });

  test('no block escapes by indentation', () => {
    for (const page of pages)
      assert.doesNotMatch(prose(read(page)), /(^|\n)\n( {4}|\t)(?![ \t]*([-*]|\d+\.) )/, page);
  });
});

test('every link leads somewhere', () => {
  for (const page of linking)
    for (const target of links(read(page))) {
      if (/^https?:/.test(target)) continue;
      const [path = '', anchor] = target.split('#');
      const file = path === '' ? join(root, page) : resolve(root, dirname(page), path);
      assert.ok(existsSync(file), `${page}: ${target}`);
      if (anchor !== undefined)
        assert.ok(anchors(readFileSync(file, 'utf8')).includes(anchor), `${page}: ${target}`);
    }
});

test('every page can be found from the list of pages', () => {
  const linked = links(read('docs/README.md')).map((target) => target.split('#')[0]);
  for (const page of inDocs) assert.ok(page === 'README.md' || linked.includes(page), page);
});

describe('configuration on the pages', () => {
  const ours = (texts: Readonly<Record<string, string>>) =>
    Object.fromEntries(
      uciFiles.flatMap((file) => (texts[file] === undefined ? [] : [[file, texts[file]]])),
    );
  for (const page of inDocs)
    for (const where of ['router', 'office', 'everywhere'] as const) {
      const texts = configurationOf([page], where);
      if (Object.keys(texts).length === 0) continue;
      if (where === 'everywhere' && Object.keys(configurationOf([page], 'office')).length > 0)
        continue;
      test(`${page}, ${where}`, () => {
        for (const [file, text] of Object.entries(texts))
          assert.deepEqual(parseUci(file, text).faults, []);
        const { faults, warnings } = parseConfiguration(ours(texts));
        assert.deepEqual(faults, []);
        assert.deepEqual(
          warnings.filter(
            ({ message }) => !/weak|encryption|anyone|nobody can log in/i.test(message),
          ),
          [],
        );
      });
    }
});

test('commands in the text and in blocks that are not run exist', () => {
  const targets = new Set([...read('Makefile').matchAll(/^([a-z-]+):/gm)].map(([, name]) => name));
  const names: string[] = commandTable.map(({ name }) => name);
  for (const page of pages) {
    const inline = [...prose(read(page)).matchAll(/`([^`\n]+)`/g)].map(([, text = '']) => text);
    const lines = blocks(read(page))
      .filter(({ info }) => info[0] === 'sh')
      .flatMap(({ text }) => text.split('\n'));
    for (const text of [...inline, ...lines]) {
      const [, command] = /^(?:node dist\/)?pptp-gateway(?:\.js)? ([a-z][^#|;]*)/.exec(text) ?? [];
      const words = command?.trim().split(/\s+/) ?? [];
      if (words[0] !== undefined) assert.ok(names.includes(words[0]), `${page}: ${text}`);
      if (words[0] !== undefined && lines.includes(text))
        assert.doesNotThrow(() => parseArguments(words), `${page}: ${text}`);
      const [, target] = /^(?:\S+=\S+ )*make ([a-z-]+)(?: |$)/.exec(text) ?? [];
      if (target !== undefined) assert.ok(targets.has(target), `${page}: make ${target}`);
    }
  }
});

test('files that the architecture names are there', () => {
  const named = [
    ...read('docs/architecture.md').matchAll(/`([\w./-]+(?:\.(?:ts|c|as|sh|cjs)|\/))`/g),
  ];
  assert.ok(named.length > 50);
  for (const [, path = ''] of named)
    assert.ok(existsSync(join(root, 'src', path)) || existsSync(join(root, path)), path);
});
