/**
 * TCP streams of random octets, one for each address, that come back as they went: `streams.ts serve` and, at the other end,
 * `streams.ts send ADDRESS…`. SIGUSR2: once each has moved, the sender prints "timeouts MOST SUM", of retransmission
 * time-outs since it was last asked; the server does so at once. SIGTERM: the sender ends, and prints what came of it.
 */
import { createHash, randomBytes, type Hash } from 'node:crypto';
import { connect, createServer, type Socket } from 'node:net';
import { errorText } from '../../src/platform/errors.ts';
import { timeoutsOf } from './tcp-timeouts.ts';

export interface StreamsReport {
  readonly streams: number;
  /** One way; the same came back. */
  readonly octets: number;
  /** What went wrong, of the streams that it did with. */
  readonly wrong: readonly string[];
}

const PORT = 5000;
const PERIOD = 250;
const [least, most] = [200, 3_000];
const [mode, ...addresses] = process.argv.slice(2);
const say = (text: string) => process.stdout.write(`${text}\n`);
const before = new Map<Socket, number>();

function sayTimeouts(sockets: readonly Socket[]): void {
  const since = sockets.flatMap((socket) => {
    const now = timeoutsOf(socket);
    if (now === undefined) return [];
    const grown = now - (before.get(socket) ?? 0);
    before.set(socket, now);
    return [grown];
  });
  const sum = since.reduce((all, each) => all + each, 0);
  say(since.length === 0 ? 'timeouts unknown' : `timeouts ${Math.max(...since)} ${sum}`);
}

if (mode === 'serve') serve();
else send();

function serve(): void {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', (error) => say(`error ${error.message}`));
    socket.on('close', () => sockets.delete(socket));
    socket.pipe(socket);
  });
  process.on('SIGUSR2', () => sayTimeouts([...sockets]));
  server.listen(PORT, '0.0.0.0', () => say('serving'));
}

interface Stream {
  readonly address: string;
  readonly socket: Socket;
  readonly sent: Hash;
  readonly received: Hash;
  out: number;
  back: number;
  /** It has moved when so much is back. */
  target: number;
  wrong: string | undefined;
  isClosed: boolean;
}

function send(): void {
  let isEnding = false;
  let isAsked = false;
  let connected = 0;
  const streams = addresses.map((address): Stream => {
    const socket = connect({ host: address, port: PORT, noDelay: true });
    const [sent, received] = [createHash('sha256'), createHash('sha256')];
    const stream: Stream = { address, socket, sent, received, out: 0, back: 0, target: 0, wrong: undefined, isClosed: false }; // prettier-ignore
    socket.on('connect', () => {
      connected++;
      if (connected === addresses.length) say('all are there');
    });
    socket.on('data', (octets) => {
      received.update(octets);
      stream.back += octets.length;
      look();
    });
    socket.on('error', (error) => (stream.wrong = errorText(error)));
    socket.on('close', () => {
      if (!isEnding || stream.back !== stream.out)
        stream.wrong ??= `it ended after ${stream.back} of ${stream.out} octets`;
      stream.isClosed = true;
      look();
    });
    return stream;
  });
  for (const [n, stream] of streams.entries())
    setTimeout(() => setInterval(() => write(stream), PERIOD), (n * PERIOD) / streams.length);

  const write = (stream: Stream) => {
    if (isEnding || stream.isClosed || stream.socket.connecting) return;
    const octets = randomBytes(least + Math.floor(Math.random() * (most - least)));
    stream.sent.update(octets);
    stream.out += octets.length;
    stream.socket.write(octets);
  };
  const look = () => {
    const open = streams.filter(({ isClosed }) => !isClosed);
    if (isAsked && open.every(({ back, target }) => back >= target)) {
      isAsked = false;
      sayTimeouts(open.map(({ socket }) => socket));
    }
    if (isEnding && open.length === 0) report(streams);
  };
  process.on('SIGUSR2', () => {
    // Of what is written from now on something is back.
    for (const stream of streams) stream.target = stream.out + 1;
    isAsked = true;
    look();
  });
  process.on('SIGTERM', () => {
    isEnding = true;
    for (const { socket } of streams) socket.end();
    look();
  });
}

function report(streams: readonly Stream[]): never {
  const wrong = streams.flatMap(({ address, sent, received, wrong: why }) => {
    const isSame = sent.digest('hex') === received.digest('hex');
    if (why === undefined && isSame) return [];
    return [`${address}: ${why ?? 'what came back is something else'}`];
  });
  const octets = streams.reduce((sum, { out }) => sum + out, 0);
  say(`done ${JSON.stringify({ streams: streams.length, octets, wrong } satisfies StreamsReport)}`);
  process.exit();
}
