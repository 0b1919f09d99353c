import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test, type TestContext } from 'node:test';
import { Connections } from '../../../src/daemon/engine/connections.ts';
import { TcpConnection } from '../../../src/daemon/engine/tcp-connection.ts';
import { sockets } from '../../../src/platform/platform.ts';
import type { TcpSocket } from '../../../src/platform/sockets.ts';

const events = { octets: () => undefined, closed: () => undefined, written: () => undefined };

/** Connections of peers that never close their side; what has been closed at our end, in order. */
async function bench(context: TestContext) {
  const connections = new Connections();
  const accepted: TcpSocket[] = [];
  const listener = await sockets.listen(
    { port: 0, backlog: 16 },
    { accept: (socket) => accepted.push(socket), failed: assert.ifError },
  );
  context.after(() => listener.close());
  const { port } = listener;
  return {
    connections,
    /** As accepted from this address. */
    accept: async (localAddress: string) => {
      const peer = connect({ port, host: '127.0.0.1', localAddress, allowHalfOpen: true });
      peer.on('error', () => undefined).resume();
      context.after(() => peer.destroy());
      await once(peer, 'connect');
      while (accepted.length === 0) await new Promise((resolve) => setImmediate(resolve));
      const ours = accepted.pop()!;
      return { tcp: new TcpConnection(ours, connections, events), ours };
    },
  };
}

test('what lingers gives its descriptor to what is new, the oldest first; what is open does not', async (t) => {
  const { connections, accept } = await bench(t);
  const open = await accept('127.0.0.1');
  const old = await accept('127.0.0.2');
  const young = await accept('127.0.0.3');
  young.tcp.close();
  old.tcp.close();
  connections.most = 3;
  assert.ok(connections.makeRoom());
  assert.deepEqual([old.ours.isOpen, young.ours.isOpen], [true, true]);
  await accept('127.0.0.4');
  assert.deepEqual([old.ours.isOpen, young.ours.isOpen], [true, false]);
  await accept('127.0.0.4');
  assert.equal(old.ours.isOpen, false);
  assert.ok(connections.makeRoom());
  await accept('127.0.0.4');
  assert.equal(connections.makeRoom(), false);
  assert.equal(open.ours.isOpen, true);
  open.ours.destroy();
  while (!connections.makeRoom()) await new Promise((resolve) => setImmediate(resolve));
});

test('one source has few that linger, and takes none from another', async (t) => {
  const { accept } = await bench(t);
  const other = await accept('127.0.0.9');
  other.tcp.close();
  const own = [];
  for (let n = 0; n < 10; n++) own.push(await accept('127.0.0.1'));
  for (const { tcp } of own) tcp.close();
  assert.deepEqual(
    own.map(({ ours }) => ours.isOpen),
    [false, false, ...Array.from({ length: 8 }, () => true)],
  );
  assert.equal(other.ours.isOpen, true);
});
