import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { Connections } from '../../../src/daemon/engine/connections.ts';
import { TcpConnection } from '../../../src/daemon/engine/tcp-connection.ts';

const events = { octets: () => undefined, closed: () => undefined, written: () => undefined };

/** Connections of peers that never close their side; what has been closed at our end, in order. */
async function bench(context: TestContext) {
  const connections = new Connections();
  const listener = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  context.after(() => listener.close());
  const { port } = listener.address() as AddressInfo;
  return {
    connections,
    /** As accepted from this address. */
    accept: async (localAddress: string): Promise<{ tcp: TcpConnection; ours: Socket }> => {
      const peer = connect({ port, host: '127.0.0.1', localAddress, allowHalfOpen: true });
      peer.on('error', () => undefined).resume();
      context.after(() => peer.destroy());
      const [ours] = (await once(listener, 'connection')) as [Socket];
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
  assert.deepEqual([old.ours.destroyed, young.ours.destroyed], [false, false]);
  await accept('127.0.0.4');
  assert.deepEqual([old.ours.destroyed, young.ours.destroyed], [false, true]);
  await accept('127.0.0.4');
  assert.equal(old.ours.destroyed, true);
  assert.ok(connections.makeRoom());
  await accept('127.0.0.4');
  assert.equal(connections.makeRoom(), false);
  assert.equal(open.ours.destroyed, false);
  open.tcp.destroy();
  await once(open.ours, 'close');
  assert.ok(connections.makeRoom());
});

test('one source has few that linger, and takes none from another', async (t) => {
  const { accept } = await bench(t);
  const other = await accept('127.0.0.9');
  other.tcp.close();
  const own = [];
  for (let n = 0; n < 10; n++) own.push(await accept('127.0.0.1'));
  for (const { tcp } of own) tcp.close();
  assert.deepEqual(
    own.map(({ ours }) => ours.destroyed),
    [true, true, ...Array.from({ length: 8 }, () => false)],
  );
  assert.equal(other.ours.destroyed, false);
});
