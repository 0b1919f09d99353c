/** EAP-TLS through our server: pppd 2.5 shows a certificate to FreeRADIUS, and both have the keys for MPPE. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { FREERADIUS_SECRET, FreeRadius } from '../support/freeradius.ts';
import { debian13Root } from './debian-packages.ts';
import { Gateway, serverAddress, serverFiles } from './gateway.ts';
import { Guest, quote } from './guest.ts';
import { Namespace } from './namespace.ts';
import { dial, endPeers, ping } from './peers.ts';

let namespace: Namespace;
let guest: Guest;
let radius: FreeRadius;

/** Certificates come with `tls`: server.pem is FreeRADIUS' and gateway.pem the caller's. */
const eapTls = (folder: string) => `eap {
 default_eap_type = tls
 tls-config tls-common {
  private_key_file = ${folder}/server.key
  certificate_file = ${folder}/server.pem
  ca_file = ${folder}/gateway.pem
  cipher_list = "DEFAULT"
  ecdh_curve = "prime256v1"
  tls_min_version = "1.2"
  tls_max_version = "1.2"
  fragment_size = 400
 }
 tls {
  tls = tls-common
 }
}`;

before(async () => {
  namespace = await Namespace.create();
  guest = await Guest.boot(namespace, 1, debian13Root());
  radius = await FreeRadius.start(
    {
      tls: true,
      modules: eapTls('${confdir}'),
      authorize: 'eap {\n ok = return\n}',
      authenticate: 'eap',
    },
    ['ip', 'netns', 'exec', namespace.name],
  );
});

after(async () => {
  await radius.stop();
  await namespace.remove();
});

for (const [caller, isTrusted] of [
  ['gateway', true],
  ['server', false],
] as const)
  test(`a caller with a certificate that is ${isTrusted ? '' : 'not '}trusted`, async (t) => {
    const files = serverFiles({ auth: ['eap'], accounts: ['radius'] }, []);
    const gateway = await Gateway.start(namespace, {
      ...files,
      pptp_radius: `config radius 'main'\n\toption server '127.0.0.1'\n\toption secret '${FREERADIUS_SECRET}'\n`,
    });
    t.after(async () => {
      await gateway.stop();
      await endPeers(guest);
    });
    const copies = {
      'ca.pem': 'server.pem',
      'cert.pem': `${caller}.pem`,
      'key.pem': `${caller}.key`,
    };
    const copied = Object.entries(copies).map(
      ([to, from]) =>
        `printf %s ${quote(readFileSync(join(radius.folder, from), 'utf8'))} >/run/peer/${to}`,
    );
    await guest.run(['umask 077', 'mkdir -p /run/peer', ...copied].join('\n'));
    const call = dial(guest, guest.gateway, {
      name: 'EAP-TLS',
      lines: [
        ...['noauth', 'noipdefault', 'nodefaultroute', 'maxfail 1', 'nobsdcomp', 'nodeflate'],
        ...['refuse-pap', 'refuse-chap', 'refuse-mschap', 'refuse-mschap-v2', 'require-mppe-128'],
        ...['ca /run/peer/ca.pem', 'cert /run/peer/cert.pem', 'key /run/peer/key.pem'],
      ],
    });
    if (!isTrusted) {
      await call.ended;
      await gateway.running.log.waitFor(/.*PEER_AUTH_FAILED.*/);
      return;
    }
    const { peer } = await call.up();
    assert.equal(peer, serverAddress);
    assert.equal(await ping(guest, peer), 3);
    const [session] = await gateway.sessions();
    assert.equal(session?.auth, 'eap');
    assert.equal(session.mppe, 'mppe-128');
    assert.equal(await call.hangUp(), 5, call.log.text);
  });
