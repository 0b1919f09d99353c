import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { test } from 'node:test';
import { IoError } from '../../src/native/io-error.ts';
import { originalDestination } from '../../src/native/original-destination.ts';
import { inNamespace, ipv4 } from './namespace.ts';

inNamespace('Original destination', import.meta.url, () => {
  test('is where the client was going before nftables redirected it', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const chain = `type nat hook output priority -100; tcp dport 1723 redirect to :${port};`;
    execFileSync('nft', [`table ip t { chain o { ${chain} }; }`]);
    const client = connect(1723, '127.0.0.77');
    const [accepted] = (await once(server, 'connection')) as [Socket];
    assert.deepEqual(originalDestination(descriptor(accepted)), {
      address: ipv4('127.0.0.77'),
      port: 1723,
    });
    client.destroy();
    accepted.destroy();
    server.close();
  });

  test('of a descriptor that is not a TCP socket is an IoError', () => {
    assert.throws(
      () => originalDestination(0),
      (error) => error instanceof IoError && error.code === 'ENOTSOCK',
    );
    assert.throws(
      () => originalDestination(1 << 20),
      (error) =>
        error instanceof IoError && error.code === 'EBADF' && error.syscall === 'SO_ORIGINAL_DST',
    );
    assert.throws(() => originalDestination(-1), RangeError);
  });
});

/** Node tells the number only so. */
function descriptor(socket: Socket): number {
  return (socket as unknown as { _handle: { fd: number } })._handle.fd;
}
