/** TLS as Node does it: who the other end is, is checked in every way. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { TlsIdentity } from '../../src/platform/sockets.ts';
import { sockets } from '../../src/platform/platform.ts';

const folder = mkdtempSync(join(tmpdir(), 'pptp-tls-'));
const read = (name: string) => readFileSync(join(folder, name), 'utf8');
let server: Server;
let port: number;
const subjects: string[] = [];
const heard: string[] = [];

/** A certificate that is its own authority. */
function certificate(name: string, alternative: string): void {
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
      ...['-days', '2', '-subj', `/CN=${name}`, '-addext', `subjectAltName=${alternative}`],
      ...['-keyout', join(folder, `${name}.key`), '-out', join(folder, `${name}.pem`)],
    ],
    { stdio: 'ignore' },
  );
}

before(async () => {
  certificate('server', 'DNS:radius.example.com,IP:127.0.0.1');
  certificate('gateway', 'DNS:gateway.example.com');
  certificate('stranger', 'DNS:radius.example.com');
  server = createServer(
    {
      key: read('server.key'),
      cert: read('server.pem'),
      ca: read('gateway.pem'),
      requestCert: true,
      rejectUnauthorized: false,
    },
    (socket: TLSSocket) => {
      const subject = socket.getPeerCertificate().subject as { CN?: string } | undefined;
      subjects.push(socket.authorized ? (subject?.CN ?? '') : 'nobody');
      socket.on('error', () => undefined);
      socket.on('data', (octets) => heard.push(String(octets)));
      socket.pipe(socket);
    },
  ).listen(0, '127.0.0.1');
  server.on('tlsClientError', () => undefined); // it was refused: what the tests are about
  await once(server, 'listening');
  ({ port } = server.address() as AddressInfo);
});

after(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

/** What comes back of a word, or why nothing does. */
function said(identity: Partial<TlsIdentity>): Promise<string> {
  return new Promise((tell) => {
    const socket = sockets.connectTls(
      {
        address: '127.0.0.1',
        port,
        identity: {
          peerName: 'radius.example.com',
          authorities: read('server.pem'),
          own: undefined,
          ...identity,
        },
      },
      (peer) => {
        assert.equal(peer.subject, 'CN=server');
        assert.ok(peer.validTo > new Date());
        socket.write(new TextEncoder().encode('hello'));
      },
    );
    socket.hear({
      octets: (octets) => {
        tell(new TextDecoder().decode(octets));
        socket.destroy();
      },
      closed: (error) => tell(error?.message ?? 'closed'),
    });
  });
}

test('a certificate of the authority, for the name or the address', async () => {
  assert.equal(await said({}), 'hello');
  assert.equal(await said({ peerName: '127.0.0.1' }), 'hello');
  assert.deepEqual(subjects.splice(0), ['nobody', 'nobody']);
});

test('our own certificate is shown', async () => {
  const own = { certificate: read('gateway.pem'), key: read('gateway.key') };
  assert.equal(await said({ own }), 'hello');
  assert.deepEqual(subjects.splice(0), ['gateway']);
});

test('another authority, another name: no word is said', async () => {
  heard.length = 0;
  assert.match(await said({ authorities: read('stranger.pem') }), /certificate/);
  assert.match(await said({ authorities: undefined }), /certificate/);
  assert.match(await said({ peerName: 'other.example.com' }), /does not match certificate/);
  assert.match(await said({ peerName: '127.0.0.2' }), /does not match certificate/);
  assert.equal(await said({}), 'hello');
  assert.deepEqual(heard, ['hello']);
});

test('what cannot be read as a certificate is thrown', () => {
  assert.throws(() => {
    const own = { certificate: 'nothing', key: 'nothing' };
    const identity = { peerName: 'x', authorities: undefined, own };
    sockets.connectTls({ address: '127.0.0.1', port, identity }, () => undefined);
  });
});
