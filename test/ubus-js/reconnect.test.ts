/** Buses that go away, say nothing, or say what they should not. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { encodeTable, method, UbusClient, UbusServer } from '../../src/ubus-js/index.ts';
import { client, folder, Inbox, serve } from './bus.ts';
import { fakeBus } from './fake-peer.ts';

/** A client, and who plays its bus. */
async function withFakeBus(context: TestContext) {
  const bus = await fakeBus(context);
  const connecting = UbusClient.connect(bus.path);
  const peer = await bus.next();
  peer.say('HELLO');
  const mine = await connecting;
  context.after(() => mine.close());
  return { mine, peer };
}

const gone = { name: 'UbusError', status: 'CONNECTION_FAILED' };

test('a bus that comes later is found, and all is registered again on the next one', async (context) => {
  const path = join(folder(context), 'ubus.sock');
  const states = new Inbox<string>();
  const mine = new UbusClient({ path, onState: (state) => states.put(state) });
  context.after(() => mine.close());
  const heard = new Inbox<unknown>();
  mine.add({ path: 'mine', methods: { hello: method({}, () => ({ hello: 1 })) } });
  mine.listen('round.*', (event, data) => heard.put([event, data]));
  mine.subscribe('theirs', (what, data) => heard.put([what, data]));
  mine.start();
  assert.equal(await states.next(), 'disconnected'); // there is nobody yet
  await assert.rejects(mine.call('mine', 'hello'), gone);
  for (const round of [1, 2, 3]) {
    const { server } = await serve(context, {}, path);
    while ((await states.next()) !== 'connected');
    const active = new Inbox<boolean>();
    server.add({ path: 'theirs', methods: {}, onSubscribers: active.put });
    assert.equal(await active.next(), true);
    assert.deepEqual(await server.call('mine', 'hello'), { hello: 1 });
    await server.send(`round.${round}`, {});
    assert.deepEqual(await heard.next(), [`round.${round}`, {}]);
    server.notify('theirs', 'tick', { round });
    assert.deepEqual(await heard.next(), ['tick', { round }]);
    server.close();
    assert.equal(await states.next(), 'disconnected');
  }
});

test('calls that wait fail when the bus goes away; what a handler answers then is lost', async (context) => {
  const { path, server } = await serve(context);
  const [provider, caller] = [await client(context, path), await client(context, path)];
  const called = new Inbox<() => void>();
  provider.add({
    path: 'slow',
    methods: {
      wait: method(
        {},
        () => new Promise<undefined>((resolve) => called.put(() => resolve(undefined))),
      ),
    },
  });
  await provider.lookup('*');
  const waiting = assert.rejects(caller.call('slow', 'wait'), gone);
  const answer = await called.next();
  server.close();
  await waiting;
  answer();
  await assert.rejects(caller.call('slow', 'wait'), gone);
  await assert.rejects(caller.send('x', {}), gone);
});

test('the provider of a call that goes away ends the call', async (context) => {
  const { path } = await serve(context);
  const [provider, caller] = [await client(context, path), await client(context, path)];
  const called = new Inbox<true>();
  const wait = method({}, () => {
    called.put(true);
    return new Promise<undefined>(() => undefined);
  });
  provider.add({ path: 'slow', methods: { wait } });
  await provider.lookup('*');
  const waiting = assert.rejects(caller.call('slow', 'wait'), gone);
  await called.next();
  provider.close();
  await waiting;
});

test('connect() is for once: nobody there is the error of the system', async (context) => {
  const path = join(folder(context), 'ubus.sock');
  await assert.rejects(UbusClient.connect(path), { code: 'ENOENT' });
  const server = await UbusServer.listen(path);
  const once = await UbusClient.connect(path);
  assert.deepEqual(await once.lookup('*'), []);
  server.close();
  await assert.rejects(once.lookup('*'), gone);
});

test('who does not say HELLO is no bus', async (context) => {
  const bus = await fakeBus(context);
  const states = new Inbox<Error | undefined>();
  const mine = new UbusClient({ path: bus.path, onState: (_state, why) => states.put(why) });
  context.after(() => mine.close());
  mine.start();
  (await bus.next()).say('STATUS', 1, 0, { status: 0 });
  assert.equal((await states.next())?.message, `${bus.path}: no HELLO`);
  const second = await bus.next();
  second.socket.write('HTTP/1.1 400 Bad Request\r\n\r\n');
  assert.match((await states.next())!.message, /^a message of \d+ octets$/);
  const third = await bus.next();
  third.say('HELLO');
  assert.equal(await states.next(), undefined);
  third.socket.write(Uint8Array.from([0, 1, 0, 1, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff]));
  assert.match((await states.next())!.message, /^a message of 16777215 octets$/);
});

test('malformed answers fail their own call, and the connection goes on', async (context) => {
  const { mine, peer } = await withFakeBus(context);

  const wrongData = assert.rejects(mine.call('x', 'y'), { status: 'PARSE_ERROR' });
  peer.give(await peer.next(), 5000);
  const invoke = await peer.next();
  assert.deepEqual(invoke, {
    type: 'INVOKE',
    seq: 2,
    peer: 5000,
    attributes: { objid: 5000, method: 'y', data: encodeTable({}) },
  });
  peer.say('DATA', 2, 5000, { objid: 5000, data: Uint8Array.from([0x83, 0, 0, 200]) });
  peer.say('STATUS', 2, 5000, { status: 0, objid: 5000 });
  await wrongData;

  const wrongStatus = assert.rejects(mine.lookup('x'), { status: 'PARSE_ERROR' });
  const { seq } = await peer.next();
  // A status of two octets.
  peer.socket.write(
    Uint8Array.from([0, 1, 0, seq, 0, 0, 0, 0, 0, 0, 0, 12, 1, 0, 0, 6, 0, 0, 0, 0]),
  );
  await wrongStatus;

  const unknownStatus = assert.rejects(mine.lookup('x'), { status: 'UNKNOWN_ERROR' });
  peer.say('STATUS', (await peer.next()).seq, 0, { status: 99 });
  await unknownStatus;

  // Nothing that was not asked, for objects that we do not have, or of no use.
  peer.say('DATA', 77, 1, { objid: 1 });
  peer.say('STATUS', 77, 1, { status: 0 });
  peer.say('INVOKE', 1, 9, { objid: 1, method: 'x' });
  peer.say('UNSUBSCRIBE', 1, 9, { objid: 1 });
  for (const type of ['HELLO', 'PING', 'LOOKUP', 'SUBSCRIBE', 'MONITOR'] as const) peer.say(type);
  const found = mine.lookup('x');
  const lookup = await peer.next();
  peer.say('DATA', lookup.seq, 1, { objid: 8, objpath: 'x' }); // of another peer
  peer.give(lookup, 6);
  assert.deepEqual(await found, [{ path: 'x', id: 6, signature: {} }]);
  assert.deepEqual(peer.left, []);
});

test('an answer that comes too late is for nobody else', async (context) => {
  const { mine, peer } = await withFakeBus(context);
  await assert.rejects(mine.lookup('late', { timeout: 1 }), { status: 'TIMEOUT' });
  const late = await peer.next();
  // Numbers come round after 65,536 requests: this one is still taken.
  for (let asked = 0; asked < 66_000; asked += 1000) {
    const answers = Promise.all(Array.from({ length: 1000 }, () => mine.lookup('*')));
    for (let i = 0; i < 1000; i++) {
      const { seq } = await peer.next();
      assert.notEqual(seq, late.seq);
      peer.say('STATUS', seq, 0, { status: 0 });
    }
    await answers;
  }
  peer.say('STATUS', late.seq, 0, { status: 0 });
  const next = mine.lookup('*');
  peer.give(await peer.next(), 1);
  await next;
});

test('an object that appears while it is subscribed to is subscribed to once', async (context) => {
  const bus = await fakeBus(context);
  const faults: string[] = [];
  const mine = new UbusClient({ path: bus.path, onFault: (what) => faults.push(what) });
  context.after(() => mine.close());
  mine.start();
  const peer = await bus.next();
  peer.say('HELLO');
  mine.subscribe('theirs', () => undefined);
  const added = (listener: number) =>
    peer.say('INVOKE', 1, 0, {
      objid: listener,
      method: 'ubus.object.add',
      data: encodeTable({ id: 9, path: 'theirs' }),
    });
  peer.give(await peer.next(), 5001); // the listener for ubus.object.add
  peer.give(await peer.next(), 5002); // who is subscribed
  const register = await peer.next();
  assert.equal(register.attributes.method, 'register');
  peer.say('STATUS', register.seq, register.peer, { status: 0 });
  const lookup = await peer.next();
  added(5001);
  peer.give(lookup, 9);
  const subscribe = await peer.next();
  assert.deepEqual(subscribe.attributes, { objid: 5002, target: 9 });
  added(5001);
  peer.say('STATUS', subscribe.seq, 0, { status: 0 });
  for (let i = 0; i < 2; i++) {
    const again = await peer.next();
    assert.equal(again.type, 'LOOKUP');
    peer.give(again, 9);
  }
  const settled = mine.lookup('x');
  peer.give(await peer.next(), 1);
  await settled;
  // It goes, and the next one has gone before it could be subscribed to: no fault.
  peer.say('UNSUBSCRIBE', 1, 0, { objid: 5002, target: 9 });
  peer.give(await peer.next(), 10);
  const second = await peer.next();
  assert.deepEqual(second.attributes, { objid: 5002, target: 10 });
  peer.say('STATUS', second.seq, 0, { status: 4 });
  const rest = mine.lookup('x');
  peer.give(await peer.next(), 1);
  await rest;
  assert.deepEqual([peer.left, faults], [[], []]);
});

test('more requests at a time than 1,024 are refused', async (context) => {
  const { mine, peer } = await withFakeBus(context);
  const results = Array.from({ length: 1030 }, () =>
    mine.lookup('*').catch((error: unknown) => error),
  );
  for (const result of results.slice(1024))
    assert.equal(((await result) as { status: string }).status, 'NO_MEMORY');
  for (let i = 0; i < 1024; i++) peer.say('STATUS', (await peer.next()).seq, 0, { status: 0 });
  assert.deepEqual(await Promise.all(results.slice(0, 1024)), Array(1024).fill([]));
});

test('a bus that does not read is left', async (context) => {
  const bus = await fakeBus(context);
  const lost = new Inbox<Error | undefined>();
  const mine = new UbusClient({ path: bus.path, onState: (_state, why) => lost.put(why) });
  context.after(() => mine.close());
  mine.start();
  const peer = await bus.next();
  peer.say('HELLO');
  await lost.next();
  peer.socket.pause();
  const calls = Array.from({ length: 20 }, () => mine.send('x', { x: 'x'.repeat(1_000_000) }));
  const ends = Promise.all(calls.map((call) => assert.rejects(call, gone)));
  assert.equal((await lost.next())?.message, 'the peer does not read');
  await ends;
});

test('close() is final, whatever waits', async (context) => {
  const { mine, peer } = await withFakeBus(context);
  const waiting = assert.rejects(mine.lookup('*'), gone);
  mine.close();
  await waiting;
  await peer.closed;
  assert.equal(mine.connected, false);
});
