/** Streams over all links of a scene. */
import { resolve } from 'node:path';
import type { Program } from '../lab.ts';
import { targetOf, type Scene } from './scene.ts';

export interface Streams {
  readonly sending: Program;
  readonly serving: Program;
}

/** One over each of so many links; they are there when this resolves. */
export async function startStreams(
  { lab, server, client }: Scene,
  links: number,
): Promise<Streams> {
  const words = [
    process.execPath,
    '--import',
    'tsx',
    resolve(import.meta.dirname, 'streams.ts'),
  ] as const;
  const serving = lab.start(server, ...words, 'serve');
  await serving.line(/serving/);
  const targets = Array.from({ length: links }, (_, n) => targetOf(n));
  const sending = lab.start(client, ...words, 'send', ...targets);
  await sending.line(/all are there/);
  return { sending, serving };
}

/**
 * Waits until each has moved.
 * @returns retransmission time-outs of one of them at most, since it was asked before; undefined: the kernel does not tell
 */
export async function moved({ sending, serving }: Streams): Promise<number | undefined> {
  const most: number[] = [];
  for (const end of [sending, serving]) {
    const from = end.output.length;
    end.signal('SIGUSR2');
    const line = await end.line(/timeouts (?:unknown|\d+ \d+)/, from);
    most.push(Number(/\d+/.exec(line)?.[0]));
  }
  return most.some(Number.isNaN) ? undefined : Math.max(...most);
}
