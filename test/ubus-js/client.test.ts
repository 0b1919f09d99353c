/** Programs on a bus: what one offers, another asks for. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { method, UbusError, type ObjectDefinition, type Table } from '../../src/ubus-js/index.ts';
import { client, Inbox, onEachBus } from './bus.ts';

/** Several test files may meet on one real ubusd. */
const unique = `t${process.pid}`;
let last = 0;
const name = () => `${unique}.${++last}`;

function lab(path: string): ObjectDefinition {
  return {
    path,
    methods: {
      hello: method(
        { name: 'string', n: 'int32?', on: 'bool?', list: 'array?', tbl: 'table?' },
        (args, from) => ({ ...args, msg: `hi ${args.name}`, user: from.user ?? '' }),
      ),
      nothing: method({}, () => undefined),
      later: method({ value: 'int32' }, async ({ value }) => {
        await new Promise((resolve) => setImmediate(resolve));
        return { value };
      }),
      never: method({}, () => new Promise<Table>(() => undefined)),
      refuse: method({}, () => {
        throw new UbusError('NOT_FOUND', 'there is none');
      }),
      break: method({}, () => Promise.reject(new Error('broken'))),
      huge: method({ size: 'int32' }, ({ size }) => ({ text: 'x'.repeat(size) })),
    },
  };
}

onEachBus((bus, real) => {
  test('an object is found with its signature, by path, prefix and among all', async (context) => {
    const path = await bus(context);
    const provider = await client(context, path);
    const [one, two] = [name(), name()];
    provider.add(lab(one));
    provider.add({ path: two, methods: {} });
    await settled(provider);
    const caller = await client(context, path);
    const [found] = await caller.lookup(one);
    assert.equal(found?.path, one);
    assert.deepEqual(found.signature['hello'], {
      name: 'string',
      n: 'int32',
      on: 'bool',
      list: 'array',
      tbl: 'table',
    });
    assert.deepEqual(Object.keys(found.signature), Object.keys(lab(one).methods));
    for (const pattern of [`${unique}.*`, '*']) {
      const paths = (await caller.lookup(pattern)).map((object) => object.path);
      assert.ok(paths.includes(one), pattern);
      assert.ok(paths.includes(two), pattern);
    }
    assert.deepEqual(await caller.lookup(`${unique}-nothing`), []);
    assert.deepEqual(await caller.lookup(`${unique}-nothing*`), []);
  });

  test('calls carry arguments and answers', async (context) => {
    const path = await bus(context);
    const [provider, caller] = [await client(context, path), await client(context, path)];
    const lab1 = name();
    provider.add(lab(lab1));
    await settled(provider);
    const args = { name: 'bøb', n: -5, on: true, list: ['a', { b: [] }], tbl: { c: 2 ** 40 } };
    assert.deepEqual(await caller.call(lab1, 'hello', args), {
      ...args,
      msg: 'hi bøb',
      user: real ? 'root' : '',
    });
    assert.deepEqual(await caller.call(lab1, 'nothing'), {});
    assert.deepEqual(await caller.callAll(lab1, 'nothing'), []);
    assert.deepEqual(await caller.callAll(lab1, 'later', { value: 1 }), [{ value: 1 }]);
  });

  test('failures have their status, and their sentence where the object gives one', async (context) => {
    const path = await bus(context);
    const [provider, caller] = [await client(context, path), await client(context, path)];
    const lab1 = name();
    provider.add(lab(lab1));
    await settled(provider);
    const refused = (called: string, args: Table, status: string, message: string) =>
      assert.rejects(caller.call(lab1, called, args), { name: 'UbusError', status, message });
    await refused('refuse', {}, 'NOT_FOUND', 'there is none');
    await refused('break', {}, 'UNKNOWN_ERROR', 'broken');
    for (const missing of ['nosuch', 'toString', '__proto__'])
      await refused(missing, {}, 'METHOD_NOT_FOUND', `${lab1} has no method '${missing}'`);
    await refused('hello', {}, 'INVALID_ARGUMENT', 'expected name (string)');
    await refused('hello', { name: 1 }, 'INVALID_ARGUMENT', 'expected name (string)');
    await refused('hello', { name: 'b', n: 'x' }, 'INVALID_ARGUMENT', 'expected n (int32)');
    await refused('hello', { name: 'b', n: 2 ** 31 }, 'INVALID_ARGUMENT', 'expected n (int32)');
    await refused(
      'later',
      { value: 1, extra: 2 },
      'INVALID_ARGUMENT',
      "unknown argument 'extra'; there are: value",
    );
    // What rpcd adds to calls from a browser is no mistake.
    const session = { ubus_rpc_session: '00000000000000000000000000000000' };
    assert.deepEqual(await caller.call(lab1, 'later', { value: 1, ...session }), { value: 1 });
    await assert.rejects(caller.call(`${unique}-nothing`, 'hello'), {
      status: 'NOT_FOUND',
      message: `there is no object '${unique}-nothing'`,
    });
  });

  test('an answer may be 1 MiB; a larger one is a clear error', async (context) => {
    const path = await bus(context);
    const [provider, caller] = [await client(context, path), await client(context, path)];
    const lab1 = name();
    provider.add(lab(lab1));
    await settled(provider);
    const size = (1 << 20) - 100;
    assert.equal(
      ((await caller.call(lab1, 'huge', { size })) as { text: string }).text.length,
      size,
    );
    for (const more of [(1 << 20) - 28, 1 << 20, 3 << 20])
      await assert.rejects(caller.call(lab1, 'huge', { size: more }), {
        status: 'NO_MEMORY',
        message: 'larger than a ubus message may be (1 MiB)',
      });
    await assert.rejects(caller.call(lab1, 'hello', { name: 'x'.repeat(1 << 20) }), {
      status: 'NO_MEMORY',
    });
    assert.deepEqual(await caller.call(lab1, 'nothing'), {});
  });

  test('a call that is not answered in time fails alone', async (context) => {
    const path = await bus(context);
    const [provider, caller] = [await client(context, path), await client(context, path)];
    const lab1 = name();
    provider.add(lab(lab1));
    await settled(provider);
    const slow = assert.rejects(caller.call(lab1, 'never', {}, { timeout: 50 }), {
      status: 'TIMEOUT',
    });
    assert.deepEqual(await caller.call(lab1, 'later', { value: 2 }), { value: 2 });
    await slow;
  });

  test('callers number their calls alike, and each gets its own late answer', async (context) => {
    const path = await bus(context);
    const provider = await client(context, path);
    const lab1 = name();
    const open: ((answer: Table) => void)[] = [];
    const all = new Inbox<true>();
    provider.add({
      path: lab1,
      methods: {
        wait: method({ who: 'int32' }, ({ who }) => {
          const answer = new Promise<Table>((resolve) => open.push(() => resolve({ who })));
          if (open.length === 12) all.put(true);
          return answer;
        }),
      },
    });
    await settled(provider);
    const callers = await Promise.all([1, 2, 3].map(() => client(context, path)));
    const answers = callers.flatMap((caller, i) =>
      [0, 1, 2, 3].map((n) => caller.call(lab1, 'wait', { who: 10 * i + n })),
    );
    await all.next();
    for (const answer of open.reverse()) answer({});
    assert.deepEqual(
      (await Promise.all(answers)).map(({ who }) => who),
      [0, 1, 2, 3, 10, 11, 12, 13, 20, 21, 22, 23],
    );
  });

  test('events reach who listens, and not who sent them', async (context) => {
    const path = await bus(context);
    const [sender, listener] = [await client(context, path), await client(context, path)];
    const event = name();
    const [all, exact, own] = [new Inbox<unknown>(), new Inbox<unknown>(), new Inbox<unknown>()];
    listener.listen(`${event}.*`, (id, data) => all.put([id, data]));
    listener.listen(`${event}.two`, (id, data) => exact.put([id, data]));
    sender.listen(`${event}*`, (id) => own.put(id));
    await settled(listener);
    await sender.send(`${event}.one`, { x: 1 });
    await sender.send(`${event}.two`, { hello: 'world', n: 7, b: true });
    assert.deepEqual(await all.next(), [`${event}.one`, { x: 1 }]);
    assert.deepEqual(await all.next(), [`${event}.two`, { hello: 'world', n: 7, b: true }]);
    assert.deepEqual(await exact.next(), [`${event}.two`, { hello: 'world', n: 7, b: true }]);
    assert.deepEqual([all.left, exact.left, own.left], [[], [], []]);
    await assert.rejects(sender.send('ubus.mine', {}), { status: 'PERMISSION_DENIED' });
  });

  test('subscribers are told, also by an object that comes later, goes and comes back', async (context) => {
    const path = await bus(context);
    const [provider, subscriber] = [await client(context, path), await client(context, path)];
    const lab1 = name();
    const [heard, active] = [new Inbox<unknown>(), new Inbox<boolean>()];
    subscriber.subscribe(lab1, (what, data) => heard.put([what, data]));
    for (const round of [1, 2]) {
      provider.add({ path: lab1, methods: {}, onSubscribers: active.put });
      assert.equal(await active.next(), true);
      provider.notify(lab1, 'tick', { round });
      assert.deepEqual(await heard.next(), ['tick', { round }]);
      provider.remove(lab1);
    }
    assert.deepEqual(await subscriber.lookup(lab1), []);
    provider.notify(lab1, 'tick', { round: 3 }); // to nobody
  });

  test('the last subscriber that goes is told', async (context) => {
    const path = await bus(context);
    const [provider, subscriber] = [await client(context, path), await client(context, path)];
    const lab1 = name();
    const active = new Inbox<boolean>();
    provider.add({ path: lab1, methods: {}, onSubscribers: active.put });
    await settled(provider);
    subscriber.subscribe(lab1, () => undefined);
    assert.equal(await active.next(), true);
    subscriber.close();
    assert.equal(await active.next(), false);
  });

  test('a monitor sees what passes', async (context) => {
    const path = await bus(context);
    const [provider, caller] = [await client(context, path), await client(context, path)];
    const monitor = await client(context, path);
    const lab1 = name();
    provider.add(lab(lab1));
    const seen = new Inbox<string>();
    monitor.monitor(({ direction, message: { type, attributes } }) => {
      if (type === 'INVOKE' && attributes.method === 'nothing') seen.put(direction);
    });
    await settled(monitor);
    await caller.call(lab1, 'nothing');
    assert.deepEqual([await seen.next(), await seen.next()], ['from', 'to']);
  });

  test('one path is one object', async (context) => {
    const path = await bus(context);
    const provider = await client(context, path);
    const faults = new Inbox<unknown>();
    const second = await client(context, path, {
      onFault: (what, { status }) => faults.put([what, status]),
    });
    const lab1 = name();
    provider.add({ path: lab1, methods: {} });
    assert.throws(() => provider.add({ path: lab1, methods: {} }), /already/);
    await settled(provider);
    second.add({ path: lab1, methods: {} });
    assert.deepEqual(await faults.next(), [`object ${lab1}`, 'INVALID_ARGUMENT']);
  });
});

/** What was asked before has been answered: a bus answers one connection in order, and registering takes two rounds. */
async function settled(end: { lookup(pattern: string): Promise<unknown> }): Promise<void> {
  await end.lookup('nothing');
  await end.lookup('nothing');
}
