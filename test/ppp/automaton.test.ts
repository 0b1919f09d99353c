import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { events, states, transition, type Event, type State } from '../../src/ppp/automaton.ts';

interface Cell {
  readonly event: string;
  readonly state: State;
  readonly text: string;
}

/** The cells of the table in the RFC's two printed halves. */
function printedTable(): Cell[] {
  const text = readFileSync(new URL('../vectors/rfc1661-table.txt', import.meta.url), 'utf8');
  const cells: Cell[] = [];
  let columns: number[] = [];
  for (const line of text.split('\n')) {
    const bar = line.indexOf('|');
    if (bar < 0) continue;
    const row = line.slice(0, bar).trim();
    const words = line
      .slice(bar + 1)
      .trim()
      .split(/\s+/);
    if (row === '' && words.every((word) => /^\d$/.test(word))) columns = words.map(Number);
    if (row === '' || row === 'Events') continue;
    assert.equal(words.length, columns.length, line);
    words.forEach((word, at) =>
      cells.push({ event: row, state: states[columns[at]!]!, text: word }),
    );
  }
  return cells;
}

function format(state: State, event: Event): string {
  const found = transition(state, event);
  if (found === undefined) return '-';
  const next = states.indexOf(found.next);
  return found.actions.length === 0 ? `${next}` : `${found.actions.join(',')}/${next}`;
}

test('all 160 cells are those that RFC 1661 prints', () => {
  const cells = printedTable();
  assert.equal(cells.length, 160);
  assert.equal(new Set(cells.map((cell) => `${cell.event} ${cell.state}`)).size, 160);
  assert.deepEqual([...new Set(cells.map((cell) => cell.event))].sort(), [...events].sort());
  for (const cell of cells) {
    // r, p and x mark options of the RFC that are not taken: they change neither actions nor state.
    const expected = cell.text.replace(/[rpx]$/, '');
    assert.equal(
      format(cell.state, cell.event as Event),
      expected,
      `${cell.event} in ${cell.state}`,
    );
  }
});
