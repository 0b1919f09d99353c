/**
 * A daemon that does nothing but accounting, of sessions that come and go quickly, until it is killed; with `drain` it has none and
 * ends when all that it has found was answered. Says "start ID" and "stop ID OCTETS" when these are done. A line of input: the server is back.
 */
import { LiveAccounting } from './accounting-live.ts';
import { accounted, nas, traffic } from './accounting-world.ts';

const [folder = '', mode] = process.argv.slice(2);
const live = new LiveAccounting(folder);
const say = (line: string) => process.stdout.write(`${line}\n`);
const open: string[] = [];
let count = 0;

live.feed((machine, now) => machine.handleOn(nas, now));
process.stdin.on('data', () => live.feed((machine, now) => machine.handleReachable(now)));
process.stdin.on('end', () => process.exit(1));

if (mode === 'drain') {
  await live.idle();
  live.close();
  process.exit(0);
}

setInterval(() => {
  if (open.length > 20 || (open.length > 0 && Math.random() < 0.45)) {
    const id = open.shift()!;
    const octets = Math.floor(Math.random() * 2 ** 34);
    live.feed((machine, now) => machine.handleStop(id, traffic(octets), 1, now));
    say(`stop ${id} ${octets}`);
  } else {
    const id = `${process.pid}-${count++}`;
    const port = count;
    live.feed((machine, now) => machine.handleStart(accounted(id, { call: { port } }), now));
    open.push(id);
    say(`start ${id}`);
  }
}, 10);
