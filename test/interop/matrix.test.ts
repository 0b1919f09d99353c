/**
 * Every variant of the real peers, both ways: our client dials pptpd, and pptp-linux dials our server. The outcome is
 * printed as a table at the end.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Gateway, linkFiles, serverAddress, serverFiles, type Options } from './gateway.ts';
import { Guest } from './guest.ts';
import { Namespace } from './namespace.ts';
import { dial, endPeers, ping, startPptpd } from './peers.ts';
import { variantNames, variants, type Mppe, type Variant, type VariantName } from './variants.ts';
import { printTable } from './table.ts';

/** What must come of a call: up with what, or which cause at our end. */
type Outcome = { readonly auth: string; readonly mppe: string } | { readonly cause: string };

interface Case {
  /** Our own settings. */
  readonly options: Options;
  readonly ourClient: Outcome;
  readonly ourServer: Outcome;
}

/** Variants whose outcome does not follow from what the peer asks for. */
const special: Partial<Record<VariantName, Case>> = {
  eap: {
    options: {},
    ourClient: { cause: 'AUTH_METHOD_REFUSED' },
    ourServer: { cause: 'AUTH_METHOD_REFUSED' },
  },
  noauth: {
    options: { auth: ['mschap-v2', 'pap'], mppe: 'off' },
    ourClient: { auth: 'none', mppe: 'none' },
    ourServer: { cause: 'AUTH_METHOD_REFUSED' },
  },
};

function caseOf(name: VariantName): Case {
  const { auth, mppe }: Variant = variants[name];
  const up = { auth, mppe: mppeWords(mppe) };
  const encryption: Options =
    mppe === undefined
      ? { mppe: name === 'greedy' || name === 'noccp' ? 'optional' : 'off' }
      : { mppe_strength: [String(mppe.bits)], mppe_stateful: mppe.stateful ? 'ask' : '0' };
  return (
    special[name] ?? { options: { auth: [auth], ...encryption }, ourClient: up, ourServer: up }
  );
}

function mppeWords(mppe: Mppe | undefined): string {
  return mppe === undefined ? 'none' : `mppe-${mppe.bits}${mppe.stateful ? ' stateful' : ''}`;
}

let namespace: Namespace;
let serverGuest: Guest;
let clientGuest: Guest;
const rows: string[][] = [['VARIANT', 'DIRECTION', 'LOGIN', 'ENCRYPTION', 'RESULT']];

before(async () => {
  namespace = await Namespace.create();
  [serverGuest, clientGuest] = await Promise.all([
    Guest.boot(namespace, 1),
    Guest.boot(namespace, 2),
  ]);
});

after(async () => {
  await namespace.remove();
  printTable('Interoperation with ppp 2.4.9, pptpd 1.4.0 and pptp-linux 1.10.0', rows);
});

function note(name: VariantName, direction: string, outcome: Outcome): void {
  rows.push(
    'cause' in outcome
      ? [name, direction, '-', '-', `refused as expected: ${outcome.cause}`]
      : [name, direction, outcome.auth, outcome.mppe, 'up, 3 of 3 pings, clean end'],
  );
}

for (const name of variantNames) {
  const { options, ourClient, ourServer } = caseOf(name);

  test(`${name}: our client dials pptpd`, async (t) => {
    const pptpd = await startPptpd(serverGuest, name);
    const gateway = await Gateway.start(namespace, linkFiles(pptpd.address, options));
    t.after(async () => {
      await gateway.stop();
      await endPeers(serverGuest);
    });
    const dialled = await gateway.command('dial', 'office');
    const [link] = (await gateway.status()).links;
    if ('cause' in ourClient) {
      assert.equal(link?.cause?.code, ourClient.cause, dialled.output);
    } else {
      assert.equal(
        dialled.code,
        0,
        `${dialled.output}\n${gateway.running.log.text}\n${pptpd.log.text}`,
      );
      const { auth, mppe } = link!.session!;
      assert.deepEqual({ auth, mppe }, ourClient);
      assert.equal(await gateway.ping(pptpd.inner), 3);
      assert.equal((await gateway.command('hangup', 'office')).code, 0);
      await pptpd.log.waitFor(/^Connection terminated/);
    }
    assert.equal(await gateway.stop(), 0, gateway.running.log.text);
    note(name, 'our client to pptpd', ourClient);
  });

  test(`${name}: pptp-linux dials our server`, async (t) => {
    const gateway = await Gateway.start(namespace, serverFiles(options));
    t.after(async () => {
      await gateway.stop();
      await endPeers(clientGuest);
    });
    const call = dial(clientGuest, clientGuest.gateway, name);
    if ('cause' in ourServer) {
      await call.ended;
      await gateway.running.log.waitFor(new RegExp(ourServer.cause));
    } else {
      const { local, peer } = await call.up();
      assert.equal(peer, serverAddress);
      assert.equal(await ping(clientGuest, peer), 3);
      const [session] = await gateway.sessions();
      assert.deepEqual(
        { auth: session?.auth, mppe: session?.mppe, address: session?.address },
        { ...ourServer, address: local },
      );
      assert.equal(await call.hangUp(), 5, call.log.text); // pppd(8): 5, ended by a signal
      await gateway.running.log.waitFor(/down PEER_TERMINATED|down HANGUP/);
    }
    assert.deepEqual(await gateway.sessions(), []);
    assert.equal(await gateway.stop(), 0, gateway.running.log.text);
    note(name, 'pptp-linux to our server', ourServer);
  });
}
