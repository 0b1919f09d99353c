/** Buses to test against: our own, and the real ubusd where the environment variable UBUS_SOCKET names one. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext } from 'node:test';
import {
  UbusClient,
  UbusServer,
  type UbusClientOptions,
  type UbusServerOptions,
} from '../../src/ubus-js/index.ts';

export function folder(context: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'ubus-js-test-'));
  context.after(() => rmSync(dir, { recursive: true }));
  return dir;
}

export async function serve(
  context: TestContext,
  options: UbusServerOptions = {},
  path = join(folder(context), 'ubus.sock'),
): Promise<{ path: string; server: UbusServer }> {
  const server = await UbusServer.listen(path, options);
  context.after(() => server.close());
  return { path, server };
}

/** A client that is connected; closed when the test ends. */
export async function client(
  context: TestContext,
  path: string,
  options: Partial<UbusClientOptions> = {},
): Promise<UbusClient> {
  let made: UbusClient | undefined;
  await new Promise<void>((resolve) => {
    made = new UbusClient({
      ...options,
      path,
      onState: (state, why) => {
        if (state === 'connected') resolve();
        options.onState?.(state, why);
      },
    });
    context.after(() => made!.close());
    made.start();
  });
  return made!;
}

/** The same tests on each bus; `bus` gives the path of one. */
export function onEachBus(
  tests: (bus: (context: TestContext) => Promise<string>, real: boolean) => void,
): void {
  describe('our own bus', () => tests(async (context) => (await serve(context)).path, false));
  const real = process.env['UBUS_SOCKET'];
  const skip = real === undefined ? 'UBUS_SOCKET names no real ubusd' : false;
  describe('the real ubusd', { skip }, () => tests(() => Promise.resolve(real!), true));
}

/** A value that arrives: `await next()` waits for it. */
export class Inbox<T> {
  private readonly values: T[] = [];
  private readonly waiting: ((value: T) => void)[] = [];

  readonly put = (value: T): void => {
    const first = this.waiting.shift();
    if (first === undefined) this.values.push(value);
    else first(value);
  };

  next(): Promise<T> {
    const value = this.values.shift();
    return value === undefined
      ? new Promise((resolve) => this.waiting.push(resolve))
      : Promise.resolve(value);
  }

  /** What has come and nobody has asked for. */
  get left(): readonly T[] {
    return this.values;
  }
}
