import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { loadAddon } from '../../src/native/addon.ts';
import { IoContext } from '../../src/native/io-context.ts';
import { IoError } from '../../src/native/io-error.ts';
import { inNamespace } from './namespace.ts';

const built = fileURLToPath(new URL('../../dist/native.node', import.meta.url));
const sources = fileURLToPath(new URL('../../src', import.meta.url));

inNamespace('Addon', import.meta.url, () => {
  // sanitized.sh: the sanitizers are libraries.
  const sanitized = process.env['PPTP_GATEWAY_SANITIZED'] !== undefined;

  test(
    'needs no library, and nothing of a C library but what may be absent',
    { skip: sanitized },
    () => {
      assert.doesNotMatch(execFileSync('readelf', ['-d', built], { encoding: 'utf8' }), /NEEDED/);
      const wanted = execFileSync('readelf', ['-W', '--dyn-syms', built], { encoding: 'utf8' })
        .split('\n')
        .filter((line) => / UND \S/.test(line) && !/ WEAK .* malloc_trim$/.test(line))
        .map((line) => line.trim().split(/\s+/).at(-1)!);
      assert.ok(wanted.length > 20);
      assert.deepEqual(
        wanted.filter((name) => !/^(napi|uv)_/.test(name)),
        [],
      );
    },
  );

  test('loads in several threads, each with devices of its own, and cleans up after them', async () => {
    loadAddon();
    const netlink = () => readFileSync('/proc/net/netlink', 'latin1').split('\n').length;
    const before = netlink();
    for (const end of ['close', 'exit', 'terminate', 'throw'] as const) {
      await Promise.all([worker(end), worker(end)]);
      // This namespace's raw sockets and interfaces: only lo is left, and the table's heading.
      assert.equal(readFileSync('/proc/net/raw', 'latin1').trim().split('\n').length, 1, end);
      assert.equal(netlink(), before, end);
      assert.match(execFileSync('ip', ['-brief', 'link'], { encoding: 'utf8' }), /^lo .*\n$/, end);
    }
    const io = new IoContext(new ArrayBuffer(16));
    assert.equal(io.arena.byteLength, 16);
  });

  test('missing or unloadable, it is an IoError that says what to do', async () => {
    const root = mkdtempSync(join(tmpdir(), 'pptp-gateway-'));
    try {
      for (const folder of ['native', 'platform'])
        cpSync(join(sources, folder), join(root, 'src', folder), { recursive: true });
      writeFileSync(join(root, 'package.json'), '{"type":"module"}');
      const copy = pathToFileURL(join(root, 'src/native/addon.ts')).href;
      const { loadAddon: load } = (await import(
        copy
      )) as typeof import('../../src/native/addon.ts');
      assert.throws(load, (error: IoError) => {
        assert.equal(error.name, 'IoError');
        assert.equal(error.code, 'ENOENT');
        assert.match(error.message, /addon is missing.*dist\/native\.node.*make build/);
        return true;
      });
      mkdirSync(join(root, 'dist'));
      writeFileSync(join(root, 'dist/native.node'), 'not an ELF file');
      assert.throws(load, (error: IoError) => {
        assert.equal(error.name, 'IoError');
        assert.equal(error.code, 'ELIBBAD');
        assert.match(error.message, /dist\/native\.node does not load.*built for this CPU/);
        return true;
      });
    } finally {
      rmSync(root, { recursive: true });
    }
  });

  test('what cannot be an arena, a context or a descriptor is refused', () => {
    const addon = loadAddon();
    for (const wrong of [undefined, null, 5, {}, new Uint8Array(8), new SharedArrayBuffer(8)]) {
      assert.throws(() => addon.createContext(wrong as never), TypeError);
    }
    assert.throws(() => addon.createContext(new ArrayBuffer(0)), RangeError);
    for (const wrong of [undefined, null, 5, {}, new ArrayBuffer(8)]) {
      assert.throws(() => addon.sendTun(wrong as never, new Int32Array(3), 1), TypeError);
    }
    for (const wrong of [-1, 0, 1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31, 2 ** 53]) {
      for (const name of ['close', 'counters'] as const) {
        assert.throws(() => addon[name](wrong), RangeError, `${name} ${wrong}`);
      }
    }
    const functions = addon as unknown as Record<string, (...values: unknown[]) => void>;
    for (const [name, call] of Object.entries(functions)) {
      if (['openGre', 'giveBack', 'reduceCapabilities'].includes(name)) continue; // no arguments
      assert.throws(() => call(), TypeError, name);
      assert.throws(() => call({}, [], 'x', {}), TypeError, name);
    }
    const io = addon.openGre();
    for (const program of [0, 7, 9, 4097 * 8]) {
      assert.throws(() => addon.attachFilter(io, new Uint8Array(program)), RangeError);
    }
    assert.throws(
      () => addon.attachFilter(io, new Uint8Array(8).fill(0xff)),
      (error) => error instanceof IoError && error.code === 'EINVAL',
    );
    addon.close(io);
  });

  test('no arguments crash it', () => {
    const addon = loadAddon() as unknown as Record<string, (...values: unknown[]) => unknown>;
    const gre = loadAddon().openGre();
    const tun = loadAddon().openTun('fuzz%d', true).fd;
    const context = loadAddon().createContext(new ArrayBuffer(65_536));
    const number = fc.oneof(
      fc.constantFrom(gre, tun, 0, 1, 2, 64, 2048, 65_535, 65_536, 65_537),
      fc.integer(),
      fc.double(),
    );
    const meta = fc
      .array(fc.oneof(number, fc.integer({ min: 0, max: 70_000 })), { maxLength: 64 })
      .map((values) => Int32Array.from(values));
    const argument = fc.oneof(
      { weight: 4, arbitrary: number },
      { weight: 3, arbitrary: meta },
      { weight: 3, arbitrary: fc.constantFrom<unknown>(context, () => undefined) },
      fc.anything({ withTypedArray: true }),
    );
    const names = ['createContext', 'attachFilter', 'watch', 'sendGre', 'sendTun'];
    const name = fc.constantFrom(...names, 'counters', 'originalDestination', 'openTun');
    const shaped = fc.oneof(
      fc.tuple(
        fc.constant('sendGre'),
        fc.tuple(fc.constant(context), fc.constant(gre), meta, number),
      ),
      fc.tuple(fc.constant('sendTun'), fc.tuple(fc.constant(context), meta, number)),
      fc.tuple(name, fc.array(argument, { maxLength: 9 })),
    );
    let refused = 0;
    fc.assert(
      fc.property(shaped, ([called, values]) => {
        try {
          const opened = addon[called]!(...values) as { fd: number } | undefined;
          if (called === 'openTun') loadAddon().close(opened!.fd);
        } catch (error) {
          const ours = error instanceof TypeError || error instanceof RangeError;
          assert.ok(ours || error instanceof IoError, String(error));
          refused++;
        }
      }),
      { numRuns: 5000 },
    );
    assert.ok(refused > 0 && refused < 5000);
    loadAddon().close(gre);
    loadAddon().close(tun);
  });

  test('a context is given back when nobody has it any more', async () => {
    const before = dataSize();
    const most = dataSizeWithContexts(3000);
    assert.ok(most > before + 3000 * 8, `${most - before} KB`);
    for (let turn = 0; turn < 100 && dataSize() > before + 3000 * 4; turn++) await collectGarbage();
    assert.ok(dataSize() <= before + 3000 * 4, `${dataSize() - before} KB are left`);
  });

  test('a watch pins the arena, and closing lets go of it', async () => {
    const fd = loadAddon().openGre();
    const { arena, received } = watchAndForget(fd);
    await collectGarbage();
    assert.ok(arena.deref() !== undefined, 'pinned by the watch alone');
    const sender = new IoContext(new ArrayBuffer(32));
    const other = loadAddon().openGre();
    new DataView(sender.arena).setBigUint64(0, 0x3001_880b_0000_0001n);
    sender.sendGre(other, Int32Array.of(0, 12, 0x7f00_0001, 0), 1);
    assert.equal(await received, 1);
    sender.close(other);
    sender.close(fd);
    for (let turn = 0; turn < 100 && arena.deref() !== undefined; turn++) await collectGarbage();
    assert.ok(arena.deref() === undefined, 'given back');
  });
});

function watchAndForget(fd: number): { arena: WeakRef<ArrayBuffer>; received: Promise<number> } {
  const io = new IoContext(new ArrayBuffer(8192));
  const arena = new WeakRef(io.arena);
  const received = new Promise<number>((resolve, reject) => {
    const slots = { base: 0, size: 2048, count: 4, headroom: 0 };
    io.watch(fd, slots, new Int32Array(16), { onBatch: resolve, onLost: reject });
  });
  return { arena, received };
}

/** A turn before it, for a WeakRef's target is kept until its turn ends; one after it, for finalizers run there. */
async function collectGarbage(): Promise<void> {
  await new Promise(setImmediate);
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  await new Promise(setImmediate);
}

function dataSizeWithContexts(count: number): number {
  const contexts = Array.from({ length: count }, () => new IoContext(new ArrayBuffer(16)));
  assert.equal(contexts.length, count);
  return dataSize();
}

/** KB of private memory, touched or not. */
function dataSize(): number {
  return Number(/^VmData:\s*(\d+)/m.exec(readFileSync('/proc/self/status', 'latin1'))![1]);
}

/** Node 20 does not hand tsx down to worker threads. */
const bootstrap = `
  import('tsx/esm/api').then(({ register }) => {
    register();
    return import(${JSON.stringify(new URL('./worker-thread.ts', import.meta.url).href)});
  });`;

/** A thread that watches a TUN device and a GRE socket, and ends in one of several ways while it does. */
async function worker(end: 'close' | 'exit' | 'terminate' | 'throw'): Promise<void> {
  const thread = new Worker(bootstrap, {
    eval: true,

    workerData: { end },
  });
  let failure: unknown;
  thread.on('error', (error) => (failure = error));
  const exited = new Promise((resolve) => thread.once('exit', resolve));
  if (end === 'terminate') {
    await once(thread, 'message');
    await thread.terminate();
  }
  await exited;
  if (end === 'throw') assert.match(String(failure), /thrown by the watcher/);
  else assert.equal(failure, undefined);
}
