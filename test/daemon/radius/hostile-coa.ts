/**
 * A RADIUS server that asks too much, as a program: what it sends to UDP port 3799 is its word.
 *
 *     hostile-coa.ts replay NAME     a CoA-Request about a user, three times the same; prints the codes of the answers
 *     hostile-coa.ts old NAME        one of ten minutes ago, that nobody answers; then about nobody
 *     hostile-coa.ts flood SECONDS   10,000 Disconnect-Requests a second; prints how many
 *     hostile-coa.ts end NAME        a Disconnect-Request, until it is answered; prints the code
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { datagrams } from '../../../src/platform/platform.ts';
import { sealRequest } from '../../../src/radius/sealing.ts';
import { SharedSecret } from '../../../src/radius/shared-secret.ts';
import { RadiusCode } from '../../../src/wire/radius.ts';
import type { RadiusAttribute } from '../../../src/wire/radius-attributes.ts';
import { textOf } from '../../../src/wire/text.ts';
import { HOSTILE_SECRET } from './hostile-secret.ts';

const [, , what, argument = ''] = process.argv;
const secret = new SharedSecret(HOSTILE_SECRET);
const RATE = 10_000;

const codes: number[] = [];
let heard = (): void => undefined;
const socket = await new Promise<ReturnType<typeof datagrams.connect>>((resolve, reject) => {
  const made = datagrams.connect({ address: '127.0.0.1', port: 3799 }, undefined, {
    opened: () => resolve(made),
    datagram: ([code]) => {
      codes.push(code!);
      heard();
    },
    failed: () => undefined,
    closed: reject,
  });
});

function request(
  code: number,
  name: string,
  more: readonly RadiusAttribute[],
  age = 0,
): Uint8Array {
  const attributes: RadiusAttribute[] = [
    { name: 'Event-Timestamp', value: Math.floor(Date.now() / 1000) - age },
    { name: 'User-Name', value: textOf(name) },
    ...more,
  ];
  const identifier = randomBytes(1)[0]!;
  return sealRequest({ code, identifier, attributes }, secret, randomBytes).octets;
}
const change = (name: string, age?: number) =>
  request(RadiusCode.CoaRequest, name, [{ name: 'Session-Timeout', value: 3600 }], age);
const end = (name: string) => request(RadiusCode.DisconnectRequest, name, []);

/** Sends it, and waits for so many answers in all. */
async function ask(octets: Uint8Array, count: number): Promise<void> {
  socket.send(octets);
  while (codes.length < count)
    await new Promise<void>((resolve) => {
      heard = resolve;
    });
}

const acts: Readonly<Record<string, () => Promise<unknown>>> = {
  replay: async () => {
    const octets = change(argument);
    for (let n = 1; n <= 3; n++) await ask(octets, n);
    return codes;
  },
  old: async () => {
    socket.send(change(argument, 600));
    await ask(change('nobody'), 1);
    return codes;
  },
  flood: async () => {
    const octets = Array.from({ length: 500 }, () => end('nobody'));
    const begun = performance.now();
    let sent = 0;
    for (let passed = 0; passed < Number(argument); passed = (performance.now() - begun) / 1000) {
      while (sent < passed * RATE) socket.send(octets[sent++ % octets.length]!);
      await sleep(5);
    }
    return sent;
  },
  end: async () => {
    while (codes.length === 0) {
      socket.send(end(argument));
      const answered = new Promise<void>((resolve) => {
        heard = resolve;
      });
      await Promise.race([sleep(200), answered]);
    }
    return codes;
  },
};
const act = acts[what ?? ''];
if (act === undefined) throw new Error(`${what ?? ''} is none of ${Object.keys(acts).join(' ')}`);
process.stdout.write(`${JSON.stringify(await act())}\n`);
process.exit(0);
