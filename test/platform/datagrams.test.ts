/** UDP as Node does it: over loopback. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { UdpAddress } from '../../src/platform/datagrams.ts';
import { datagrams } from '../../src/platform/platform.ts';

const open = new Set<{ close(): void }>();
after(() => {
  for (const each of open) each.close();
});
function kept<T extends { close(): void }>(socket: T): T {
  open.add(socket);
  return socket;
}
const fail = (error: Error) => assert.fail(error);
const octets = (text: string) => new TextEncoder().encode(text);
const textOf = (datagram: Uint8Array) => new TextDecoder().decode(datagram);

/** Whatever comes is sent back. */
async function echo(): Promise<number> {
  const listener = await datagrams.listen(0, {
    datagram: (datagram, from) => listener.send(datagram, from),
    failed: fail,
  });
  return kept(listener).port;
}

for (const address of ['127.0.0.1', '::1'])
  test(`there and back by ${address}`, async () => {
    const port = await echo();
    const heard: string[] = [];
    await new Promise<void>((done) => {
      const socket = kept(
        datagrams.connect({ address, port }, undefined, {
          datagram: (datagram, from) => {
            heard.push(`${textOf(datagram)} from ${from.address}`);
            assert.equal(from.port, port);
            if (heard.length === 1) socket.send(octets('two'));
            else done();
          },
          failed: fail,
          closed: fail,
          opened: () => socket.send(octets('one')),
        }),
      );
    });
    assert.deepEqual(heard, [`one from ${address}`, `two from ${address}`]);
  });

test('a listener tells an IPv4 address as one, and from which address it was asked', async () => {
  const asked = new Promise<UdpAddress>((tell) => {
    void datagrams
      .listen(0, { datagram: (_, from) => tell(from), failed: fail })
      .then((listener) => {
        const to = { address: '127.0.0.1', port: kept(listener).port };
        const socket = kept(
          datagrams.connect(to, '127.0.0.9', {
            datagram: fail as never,
            failed: fail,
            closed: fail,
            opened: () => socket.send(octets('x')),
          }),
        );
      });
  });
  assert.equal((await asked).address, '127.0.0.9');
});

test('that nobody is there is told', async () => {
  const gone = await datagrams.listen(0, { datagram: fail as never, failed: fail });
  const to = { address: '127.0.0.1', port: gone.port };
  gone.close();
  const error = await new Promise<Error>((failed) => {
    const socket = kept(
      datagrams.connect(to, undefined, {
        datagram: fail as never,
        failed,
        closed: fail,
        opened: () => socket.send(octets('x')),
      }),
    );
  });
  assert.match(error.message, /ECONNREFUSED/);
});

test('no way to the peer, an own address that is none: it is closed, and sending does nothing', async () => {
  for (const [address, from, why] of [
    ['192.0.2.9', '127.0.0.1', /EINVAL|ENETUNREACH/],
    ['127.0.0.1', '192.0.2.1', /EADDRNOTAVAIL/],
  ] as const) {
    const error = await new Promise<Error>((closed) => {
      const socket = kept(
        datagrams.connect({ address, port: 1812 }, from, {
          datagram: fail as never,
          failed: fail,
          closed,
          opened: () => assert.fail('it is open'),
        }),
      );
      socket.send(octets('x'));
    });
    assert.match(error.message, why);
  }
});

test('a port that is taken is said', async () => {
  const port = await echo();
  await assert.rejects(datagrams.listen(port, { datagram: fail as never, failed: fail }), {
    code: 'EADDRINUSE',
  });
});
