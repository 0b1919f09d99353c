import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseUci, type UciSection } from '../../src/router/uci.ts';

/** One section's values, without the lines they stand on. */
function values(text: string): Record<string, string | readonly string[]> {
  const { sections, faults } = parseUci('file', text);
  assert.deepEqual(faults, []);
  assert.equal(sections.length, 1);
  return shown(sections[0]!);
}

function shown(section: UciSection): Record<string, string | readonly string[]> {
  return Object.fromEntries(
    [...section.values].map(([name, { list, values: words }]) => [
      name,
      list ? words : words.join('|'),
    ]),
  );
}

function faults(text: string): string[] {
  return parseUci('file', text).faults.map(({ line, message }) => `${line}: ${message}`);
}

test('a file as OpenWrt writes it', () => {
  const { sections, faults: none } = parseUci(
    'network',
    `package network

config interface 'home'
	option proto 'pptpserver'
	list   dns '192.168.99.1'
	list   dns '192.168.99.2'

config user
	option username 'it'\\''s'
`,
  );
  assert.deepEqual(none, []);
  assert.deepEqual(
    sections.map(({ file, line, type, name }) => [file, line, type, name]),
    [
      ['network', 3, 'interface', 'home'],
      ['network', 8, 'user', '@user[0]'],
    ],
  );
  assert.deepEqual(sections.map(shown), [
    { proto: 'pptpserver', dns: ['192.168.99.1', '192.168.99.2'] },
    { username: "it's" },
  ]);
  assert.deepEqual(sections[0]!.values.get('dns'), {
    line: 6,
    lines: [5, 6],
    list: true,
    values: ['192.168.99.1', '192.168.99.2'],
  });
});

test('quotes: single ones are literal, double ones and bare words take backslashes, pieces join', () => {
  const cases: Readonly<Record<string, string>> = {
    bare: 'bare',
    "'single'": 'single',
    '"double"': 'double',
    "'a b'": 'a b',
    "'a\\n\"b'": 'a\\n"b',
    '"a \\"b\\" \\\\ \'c\'"': 'a "b" \\ \'c\'',
    'a\\ b': 'a b',
    'a\'b c\'d"e f"': 'ab cde f',
    "''": '',
    '""': '',
    "'two\nlines'": 'two\nlines',
    '"two\nlines"': 'two\nlines',
    '"one\\\nline"': 'oneline',
    'one\\\nword': 'oneword',
    "'# no comment'": '# no comment',
    '"; no end"': '; no end',
    "'ünïcödé ☃'": 'ünïcödé ☃',
  };
  for (const [written, value] of Object.entries(cases))
    assert.deepEqual(values(`config t\noption o ${written}\noption after 'x'`), {
      o: value,
      after: 'x',
    });
});

test('a backslash at the very end has no line to join, and adds nothing', () => {
  assert.deepEqual(values("config t\noption a 'x'\\"), { a: 'x' });
  assert.equal(parseUci('f', 'config t\noption a \\').faults.length, 1, 'no value');
});

test('comments begin with # outside quotes, also behind and inside of words; ; ends a line', () => {
  assert.deepEqual(
    values("# first\nconfig t # 'unclosed\n  # more\n\toption a 1 # one\noption b 2#two\n#end"),
    { a: '1', b: '2' },
  );
  assert.deepEqual(values('config t; option a 1 ;option b 2'), { a: '1', b: '2' });
});

test('blank lines, tabs, CR LF and a missing last newline do not matter', () => {
  assert.deepEqual(values('\r\n\r\nconfig\tt\r\n\toption  a\t1\r\n \t \r\noption b 2'), {
    a: '1',
    b: '2',
  });
  assert.deepEqual(parseUci('file', ''), { sections: [], faults: [] });
});

test('sections of one name and type are merged; a later option replaces, a list grows', () => {
  const { sections } = parseUci(
    'file',
    `config t 'one'
option a 1
option b 1
list l x
config t 'two'
option a 2
config t 'one'
option b 3
list l y
config u 'one'
option a 4
`,
  );
  assert.deepEqual(
    sections.map((section) => [section.type, section.name, shown(section)]),
    [
      ['t', 'one', { a: '1', b: '3', l: ['x', 'y'] }],
      ['t', 'two', { a: '2' }],
      ['u', 'one', { a: '4' }],
    ],
  );
});

test('anonymous sections are never merged and are numbered as the uci command does', () => {
  const text = "config t\nconfig t 'named'\nconfig t\nconfig t ''\nconfig t 'named'\nconfig t";
  assert.deepEqual(
    parseUci('file', text).sections.map(({ name }) => name),
    ['@t[0]', 'named', '@t[2]', '@t[3]', '@t[4]'],
  );
});

test('an option after a list of the same name replaces it; a list after an option keeps its value', () => {
  assert.deepEqual(values('config t\nlist a 1\nlist a 2\noption a 3'), { a: '3' });
  assert.deepEqual(values('config t\noption a 1\nlist a 2'), { a: ['1', '2'] });
});

test('an empty option is there, an absent one is not', () => {
  const [section] = parseUci('file', "config t\noption a ''").sections;
  assert.deepEqual(section?.values.get('a')?.values, ['']);
  assert.equal(section.values.has('b'), false);
});

test('faults carry their line, and do not hide those behind them', () => {
  assert.deepEqual(
    faults(
      [
        "option early 'x'", // 1
        'config', // 2
        'option lost 1', // 3
        "config t 'a' 'b'", // 4
        "config t 'a-b'", // 5
        'config t', // 6
        'option a', // 7
        'option a 1 2', // 8
        'list l', // 9
        'option a-b 1', // 10
        'optoin a 1', // 11
        "option fine 'two", // 12
        "lines'", // 13
        'bogus', // 14
      ].join('\n'),
    ),
    [
      "1: option 'early' stands before any config line",
      "2: expected: config TYPE ['NAME']",
      "3: option 'lost' stands before any config line",
      "4: expected: config TYPE ['NAME']",
      '5: the name of a section has only letters, digits and _',
      "7: expected: option NAME 'VALUE'",
      "8: expected: option NAME 'VALUE'",
      "9: expected: list NAME 'VALUE'",
      '10: the name of an option has only letters, digits and _',
      '11: expected a line that begins with config, option or list',
      '14: expected a line that begins with config, option or list',
    ],
  );
});

test('lines are counted through quotes, escaped line ends and comments', () => {
  for (const value of ["'a\nb'", '"a\nb"', '"a\\\nb"', 'a\\\nb', 'a # \\'])
    assert.deepEqual(
      faults(`config t\noption o ${value}\nbogus`),
      [`${2 + value.split('\n').length}: expected a line that begins with config, option or list`],
      value,
    );
});

test('a quote that is not closed is a fault of the line where its words begin', () => {
  for (const quote of ["'", '"'])
    assert.deepEqual(faults(`config t\noption a 1\noption b ${quote}open\nconfig u\n`), [
      `3: a quote (${quote}) is not closed`,
    ]);
});

test('no fault repeats a value: it may be a piece of a password', () => {
  for (const line of [
    'option password geheim;geheim',
    "option password 'geheim' geheim",
    "option password 'geheim",
    'option password "geheim',
    'password geheim',
    'geheim',
    "config 'user' 'x' geheim",
  ])
    for (const fault of faults(`config user\n${line}`)) assert.doesNotMatch(fault, /geheim/);
});

/** What a writer of UCI does: everything in single quotes, each ' as '\''. */
function write(sections: readonly Written[]): string {
  const quote = (value: string) => `'${value.replaceAll("'", "'\\''")}'`;
  return sections
    .map(
      ({ type, name, options }) =>
        `config ${type} ${quote(name)}\n${Object.entries(options)
          .map(([option, value]) =>
            typeof value === 'string'
              ? `\toption ${option} ${quote(value)}\n`
              : value.map((word) => `\tlist ${option} ${quote(word)}\n`).join(''),
          )
          .join('')}`,
    )
    .join('\n');
}

interface Written {
  readonly type: string;
  readonly name: string;
  readonly options: Readonly<Record<string, string | readonly string[]>>;
}

const identifier = fc.stringMatching(/^[a-z_][a-z0-9_]{0,8}$/);
const value = fc.string({ unit: 'binary', maxLength: 20 });

test('what was written is read back, whatever the values', () => {
  const options = fc.oneof(value, fc.array(value, { minLength: 1 }));
  const section = fc.record(
    {
      type: identifier,
      name: identifier,
      options: fc.dictionary(identifier, options, { noNullPrototype: true }),
    },
    { noNullPrototype: true },
  );
  const sections = fc.uniqueArray(section, {
    selector: ({ type, name }) => `${type} ${name}`,
    maxLength: 5,
  });
  fc.assert(
    fc.property(sections, (written) => {
      const { sections: read, faults: none } = parseUci('file', write(written));
      assert.deepEqual(none, []);
      assert.deepEqual(
        read.map((found) => ({ type: found.type, name: found.name, options: shown(found) })),
        written,
      );
    }),
  );
});

test('no text makes the parser throw or hang, and every fault has a line of the text', () => {
  const pieces = fc.constantFrom(
    ...['config', 'option', 'list', 'package', "'", '"', '\\', '\n', ' ', '\t', '#', ';', 'x', '0'],
    ...['__proto__', 'constructor', '\0', '\r', '\ud800'],
  );
  const text = fc.oneof(
    fc.array(pieces, { maxLength: 60 }).map((words) => words.join('')),
    fc.array(pieces, { maxLength: 60 }).map((words) => words.join(' ')),
    fc.string({ unit: 'binary', maxLength: 200 }),
  );
  fc.assert(
    fc.property(text, (input) => {
      const lineCount = input.split('\n').length;
      const { sections, faults: found } = parseUci('file', input);
      for (const { line } of [...found, ...sections]) assert.ok(line >= 1 && line <= lineCount);
    }),
    { numRuns: 1000 },
  );
});
