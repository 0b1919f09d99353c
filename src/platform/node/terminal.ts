import { Writable } from 'node:stream';
import type { Terminal } from '../program.ts';
import { builtin } from './builtin.ts';

export function openTerminal(): Terminal {
  let isHidden = false;
  const output = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      if (!isHidden) process.stdout.write(chunk);
      done();
    },
  });
  const { createInterface } = builtin('node:readline');
  const terminal = createInterface({
    input: process.stdin,
    output,
    terminal: true,
    historySize: 0,
  });
  const lines = terminal[Symbol.asyncIterator](); // also those that were typed ahead
  return {
    async ask(question, hidden = false) {
      if (hidden) process.stdout.write(question);
      isHidden = hidden;
      terminal.setPrompt(hidden ? '' : question);
      terminal.prompt();
      const line = await lines.next();
      isHidden = false;
      if (hidden) process.stdout.write('\n');
      return line.done === true ? undefined : line.value;
    },
    close: () => terminal.close(),
  };
}
