/** A bus of one's own, and guests that do not behave. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, linkSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import fc from 'fast-check';
import { encodeTable, isServed, method, UbusServer } from '../../src/ubus-js/index.ts';
import { captures, fromHex } from './captures.ts';
import { client, folder, serve } from './bus.ts';
import { FakePeer } from './fake-peer.ts';

const echo = { path: 'echo', methods: { say: method({ x: 'string?' }, (args) => ({ ...args })) } };

async function guest(context: TestContext, path: string): Promise<FakePeer> {
  const socket = connect(path);
  await once(socket, 'connect');
  context.after(() => socket.destroy());
  const peer = new FakePeer(socket);
  assert.equal((await peer.next()).type, 'HELLO');
  return peer;
}

async function works(context: TestContext, path: string): Promise<void> {
  const other = await client(context, path);
  assert.deepEqual(await other.call('echo', 'say', { x: 'still' }), { x: 'still' });
  other.close();
}

test('only the owner can reach the socket, and it goes with its server', async (context) => {
  const path = join(folder(context), 'run/ubus.sock');
  const { server } = await serve(context, {}, path);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal(statSync(join(path, '..')).mode & 0o777, 0o700);
  assert.equal(await isServed(path), true);
  server.close();
  assert.equal(existsSync(path), false);
  assert.equal(await isServed(path), false);
});

test('a socket that is served is not taken over; one that is left is', async (context) => {
  const path = join(folder(context), 'ubus.sock');
  const killed = createServer();
  killed.listen(path);
  await once(killed, 'listening');
  const left = `${path}.left`;
  linkSync(path, left); // Node removes the path when it closes: keep the inode, as kill -9 does
  await assert.rejects(UbusServer.listen(left), /^Error: another process serves it$/);
  killed.close();
  await once(killed, 'close');
  const { server } = await serve(context, {}, left);
  server.add(echo);
  await works(context, left);
});

test('a path with something else is refused and left alone', async (context) => {
  const path = join(folder(context), 'precious');
  writeFileSync(path, 'data');
  await assert.rejects(UbusServer.listen(path), /^Error: there is something that is not a socket$/);
  assert.equal(statSync(path).size, 4);
  await assert.rejects(UbusServer.listen(join(path, 'ubus.sock')), /precious/);
});

test('requests that are wrong have their status, as from ubusd', async (context) => {
  const { path, server } = await serve(context);
  server.add(echo);
  const peer = await guest(context, path);
  const ask = async (...message: Parameters<FakePeer['say']>) => {
    peer.say(...message);
    const answer = await peer.next();
    assert.equal(answer.type, 'STATUS');
    assert.equal(answer.seq, message[1]);
    return answer.attributes.status;
  };
  const register = (args: Parameters<typeof encodeTable>[0]) =>
    ask('INVOKE', 4, 1, { objid: 1, method: 'register', data: encodeTable(args) });
  assert.equal(await ask('HELLO', 1), 1);
  assert.equal(await ask('MONITOR', 1), 1);
  assert.equal(await ask('LOOKUP', 2, 0, { objpath: 'nosuch' }), 4);
  assert.equal(await ask('LOOKUP', 2, 0, { objpath: '' }), 2);
  assert.equal(await ask('INVOKE', 3, 9, { objid: 9 }), 2);
  assert.equal(await ask('INVOKE', 3, 9, { method: 'x' }), 2);
  assert.equal(await ask('INVOKE', 3, 9, { objid: 9, method: 'x' }), 4);
  assert.equal(await ask('INVOKE', 3, 1, { objid: 1, method: 'x' }), 1);
  assert.equal(await ask('INVOKE', 3, 3, { objid: 3, method: 'x' }), 3);
  assert.equal(await register({}), 2);
  assert.equal(await register({ object: 5, pattern: 'x' }), 4);
  assert.equal(await ask('REMOVE_OBJECT', 5), 2);
  assert.equal(await ask('REMOVE_OBJECT', 5, 0, { objid: 9 }), 4);
  assert.equal(await ask('ADD_OBJECT', 6, 0, { objpath: 'echo' }), 2);
  assert.equal(await ask('ADD_OBJECT', 6, 0, { objtype: 12345 }), 2);
  assert.equal(await ask('SUBSCRIBE', 7, 0, {}), 2);
  assert.equal(await ask('NOTIFY', 8, 0, { objid: 9, method: 'x' }), 4);
  peer.say('PING', 9, 5, { objid: 6 });
  assert.deepEqual(await peer.next(), { type: 'DATA', seq: 9, peer: 5, attributes: { objid: 6 } });
  assert.equal((await peer.next()).attributes.status, 0);
  // Unlike ubusd, which would list everything: a path without its NUL; and an unknown type.
  peer.socket.write(fromHex('0004000a 00000000 00000010 0200000b 6e6f7375 63686800'));
  assert.equal((await peer.next()).attributes.status, 12);
  peer.socket.write(fromHex('0063000b 00000000 00000004'));
  assert.equal((await peer.next()).attributes.status, 1);
  // Answers to what nobody asked are nothing.
  peer.say('STATUS', 1, 77, { status: 0, objid: 9 });
  peer.say('DATA', 1, 77, { objid: 9, data: encodeTable({}) });
  assert.equal(await ask('LOOKUP', 12, 0, { objpath: 'nosuch' }), 4);
});

test('objects, answers and subscriptions of one are not those of another', async (context) => {
  const { path, server } = await serve(context);
  server.add({ path: 'slow', methods: { wait: method({}, () => new Promise(() => undefined)) } });
  const [thief, victim] = [await guest(context, path), await guest(context, path)];
  victim.say('ADD_OBJECT', 1, 0, { objpath: 'mine', signature: encodeTable({}) });
  const objid = (await victim.next()).attributes.objid!;
  assert.equal((await victim.next()).attributes.status, 0);
  for (const type of ['REMOVE_OBJECT', 'NOTIFY'] as const) {
    thief.say(type, 1, 0, { objid, method: 'x' });
    assert.equal((await thief.next()).attributes.status, 6, type);
  }
  const [slow] = await server.lookup('slow');
  victim.say('INVOKE', 2, slow!.id, { objid: slow!.id, method: 'wait', data: encodeTable({}) });
  victim.say('LOOKUP', 3, 0, { objpath: 'nosuch' });
  assert.equal((await victim.next()).seq, 3); // the call has arrived
  for (let peer = 1024; peer < 1100; peer++)
    thief.say('STATUS', 2, peer, { status: 0, objid: slow!.id });
  thief.say('LOOKUP', 4, 0, { objpath: 'nosuch' });
  await thief.next();
  assert.deepEqual(victim.left, []);
  server.remove('slow');
  assert.deepEqual(await victim.next(), {
    type: 'STATUS',
    seq: 2,
    peer: slow!.id,
    attributes: { status: 10, objid: slow!.id },
  });
});

test('guests may be kept from publishing', async (context) => {
  const { path, server } = await serve(context, { publish: false });
  server.add(echo);
  const faults: string[] = [];
  const other = await client(context, path, {
    onFault: (what, { status }) => faults.push(`${what} ${status}`),
  });
  other.add({ path: 'theirs', methods: {} });
  await assert.rejects(other.send('x', {}), { status: 'PERMISSION_DENIED' });
  assert.deepEqual(faults, ['object theirs PERMISSION_DENIED']);
  const heard = new Promise((resolve) => other.listen('x', (event) => resolve(event)));
  await other.lookup('*');
  await other.lookup('*');
  await server.send('x', {});
  assert.equal(await heard, 'x');
});

test('a message longer than allowed ends its connection, and others go on', async (context) => {
  const { path, server } = await serve(context, { longest: 1000 });
  server.add(echo);
  const peer = await guest(context, path);
  peer.say('INVOKE', 1, 1, { objid: 1, data: new Uint8Array(2000) });
  await peer.closed;
  await works(context, path);
});

test('one who asks and never reads is cut off, and others go on', async (context) => {
  const { path, server } = await serve(context);
  server.add(echo);
  const peer = await guest(context, path);
  const [found] = await server.lookup('echo');
  const data = encodeTable({ x: 'x'.repeat(1_000_000) });
  peer.socket.pause();
  let seq = 0;
  const write = () => {
    while (peer.socket.writable && peer.socket.writableLength === 0)
      peer.say('INVOKE', ++seq & 0xffff, found!.id, { objid: found!.id, method: 'say', data });
  };
  peer.socket.on('drain', write);
  write();
  await peer.closed;
  await works(context, path);
});

test('one who asks too much at a time is refused', async (context) => {
  const { path, server } = await serve(context);
  server.add({ path: 'slow', methods: { wait: method({}, () => new Promise(() => undefined)) } });
  const peer = await guest(context, path);
  const [slow] = await server.lookup('slow');
  const ask = (seq: number) =>
    peer.say('INVOKE', seq, slow!.id, { objid: slow!.id, method: 'wait', data: encodeTable({}) });
  for (let seq = 0; seq <= 256; seq++) ask(seq);
  assert.deepEqual((await peer.next()).attributes, { status: 11 });
  ask(1); // again, before it is answered
  assert.deepEqual((await peer.next()).attributes, { status: 1 });
  const many = await guest(context, path);
  for (let seq = 0; seq <= 256; seq++) many.say('ADD_OBJECT', seq);
  let last;
  for (let i = 0; i < 2 * 256 + 1; i++) last = await many.next();
  assert.deepEqual(last?.attributes, { status: 11 });
});

test('guests beyond the bound are turned away', async (context) => {
  const { path, server } = await serve(context, { maxClients: 2 });
  server.add(echo);
  const [one, two] = [await guest(context, path), await guest(context, path)];
  const third = connect(path);
  third.on('error', () => undefined).resume();
  await new Promise((resolve) => third.once('close', resolve));
  two.socket.destroy();
  await two.closed;
  one.say('LOOKUP', 1, 0, { objpath: 'nosuch' });
  assert.equal((await one.next()).attributes.status, 4);
});

test('whatever octets come, the bus goes on', async (context) => {
  const { path, server } = await serve(context);
  server.add(echo);
  const sample = captures.map(({ hex }) => fromHex(hex));
  const spoilt = fc
    .tuple(
      fc.array(fc.constantFrom(...sample), { minLength: 1, maxLength: 8 }),
      fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 8 }),
    )
    .map(([messages, changes]) => {
      const octets = new Uint8Array(Buffer.concat(messages));
      for (const [at, value] of changes) octets[at % octets.length] = value;
      return octets;
    });
  await fc.assert(
    fc.asyncProperty(fc.oneof(spoilt, fc.uint8Array({ maxLength: 200 })), async (octets) => {
      const socket = connect(path);
      await once(socket, 'connect');
      socket.on('error', () => undefined).resume();
      socket.end(octets);
      await new Promise((resolve) => socket.once('close', resolve));
    }),
    { numRuns: 200 },
  );
  await works(context, path);
});
