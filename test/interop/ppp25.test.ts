/**
 * pppd 2.5 on both sides, with the option files that its users have: NetworkManager's, OpenWrt's since it has ppp 2.5, and
 * Debian's. Its require-mppe asks for 40 bits only, in the versions 2.5.0 to 2.5.3.
 */
import assert from 'node:assert/strict';
import { after, before, test, type TestContext } from 'node:test';
import { debian13Root } from './debian-packages.ts';
import { Gateway, linkFiles, serverAddress, serverFiles, type Options } from './gateway.ts';
import { Guest } from './guest.ts';
import { Namespace } from './namespace.ts';
import { dial, endPeers, ping, startPptpd, type OptionFile } from './peers.ts';
import { printTable } from './table.ts';
import type { VariantName } from './variants.ts';

/** The login and both ends' encryption, or the cause at our end with its detail. */
type Outcome =
  | { readonly auth: 'mschap-v2' | 'eap'; readonly mppe: string }
  | { readonly cause: string; readonly detail?: string };

interface Case {
  readonly what: OptionFile | VariantName;
  /** Our own settings. */
  readonly options: Options;
  /** The peer's; absent: the right one. */
  readonly password?: string;
  readonly outcome: Outcome;
}

/** nm-pptp-service of network-manager-pptp 1.2; with encryption its form leaves the two MS-CHAPs allowed. */
function networkManager(...mppe: readonly string[]): OptionFile {
  return {
    name: `NetworkManager, ${mppe.join(' ')}`,
    lines: [
      ...[
        'ipparam nm-pptp-service-1',
        'lock',
        'usepeerdns',
        'noipdefault',
        'nodefaultroute',
        'noauth',
      ],
      ...['refuse-eap', 'refuse-pap', 'refuse-chap', ...mppe],
      ...['lcp-echo-failure 5', 'lcp-echo-interval 30'],
    ],
  };
}

/** /etc/ppp/options.pptp with MPPE in the words of ppp 2.5, and what ppp.sh adds. */
function openwrtClient(...mppe: readonly string[]): OptionFile {
  return {
    name: `OpenWrt's options.pptp, ${mppe.join(' ')}`,
    lines: [
      ...['noipdefault', 'noauth', 'nobsdcomp', 'nodeflate', 'idle 0', ...mppe, 'maxfail 0'],
      ...['ipparam vpn', 'lcp-echo-interval 1', 'lcp-echo-failure 5', 'lcp-echo-adaptive'],
      ...['+ipv6', 'nodefaultroute', 'usepeerdns', 'maxfail 1'],
    ],
  };
}

/** What OpenWrt's pptpd.init renders, likewise. */
function openwrtServer(...mppe: readonly string[]): OptionFile {
  return {
    name: `OpenWrt's options.pptpd, ${mppe.join(' ')}`,
    lines: [
      ...['auth', 'lcp-echo-failure 3', 'lcp-echo-interval 60', 'default-asyncmap'],
      ...['mtu 1440', 'mru 1440', 'nobsdcomp', 'nodeflate', 'require-mschap-v2'],
      ...['refuse-chap', 'refuse-mschap', 'refuse-eap', 'refuse-pap', ...mppe],
    ],
  };
}

const debianServer: OptionFile = {
  name: "Debian's pptpd-options",
  lines: [
    ...['refuse-pap', 'refuse-chap', 'refuse-mschap', 'require-mschap-v2', 'require-mppe-128'],
    ...['proxyarp', 'nodefaultroute', 'lock', 'nobsdcomp', 'novj', 'novjccomp'],
  ],
};

/** Login by EAP-MSCHAPv2 and by nothing else; a server of pppd's asks for MD5 first, and takes the Nak. */
const eapCaller: OptionFile = {
  name: 'EAP alone',
  lines: [
    ...['noauth', 'noipdefault', 'nodefaultroute', 'maxfail 1', 'nobsdcomp', 'nodeflate'],
    ...['refuse-pap', 'refuse-chap', 'refuse-mschap', 'refuse-mschap-v2', 'require-mppe-128'],
  ],
};
const eapServer: OptionFile = {
  name: 'require-eap',
  lines: ['auth', 'require-eap', 'require-mppe-128', 'nobsdcomp', 'nodeflate', 'novj'],
};

const strict: Options = {};
const eap: Options = { auth: ['eap'] };
const both: Options = { mppe_strength: ['128', '40'] };
const stateless128 = { auth: 'mschap-v2', mppe: 'mppe-128' } as const;
const stateless40 = { auth: 'mschap-v2', mppe: 'mppe-40' } as const;
const translated = ['nomppe-40', 'nomppe-stateful'] as const;

function tooWeak(peer: string): Outcome {
  const detail = `the ${peer} asks for 40 bits only (pppd 2.5's require-mppe does; require-mppe-128 is meant)`;
  return { cause: 'MPPE_REQUIRED', detail };
}

/** pppd 2.5 takes require-mppe with nomppe-40 for: none wanted, 40 bits allowed. It hangs up when it is asked for 128. */
const muddled: Outcome = { cause: 'PEER_TERMINATED' };

const callers: readonly Case[] = [
  { what: networkManager('require-mppe'), options: strict, outcome: tooWeak('caller') },
  { what: networkManager('require-mppe'), options: both, outcome: stateless40 },
  { what: networkManager('require-mppe-128'), options: strict, outcome: stateless128 },
  {
    what: networkManager('require-mppe-128', 'mppe-stateful'),
    options: { ...both, mppe_stateful: 'ask' },
    outcome: { auth: 'mschap-v2', mppe: 'mppe-128 stateful' },
  },
  { what: openwrtClient('require-mppe-128', ...translated), options: both, outcome: stateless128 },
  { what: openwrtClient('require-mppe', ...translated), options: strict, outcome: muddled },
  {
    what: eapCaller,
    options: { auth: ['mschap-v2', 'eap'] },
    outcome: { ...stateless128, auth: 'eap' },
  },
  { what: eapCaller, options: eap, password: 'wrong', outcome: { cause: 'PEER_AUTH_FAILED' } },
];

const servers: readonly Case[] = [
  { what: debianServer, options: both, outcome: stateless128 },
  { what: openwrtServer('require-mppe'), options: strict, outcome: tooWeak('server') },
  { what: openwrtServer('require-mppe'), options: both, outcome: stateless40 },
  { what: openwrtServer('require-mppe-128', ...translated), options: both, outcome: stateless128 },
  { what: openwrtServer('require-mppe', ...translated), options: strict, outcome: muddled },
  { what: eapServer, options: eap, outcome: { ...stateless128, auth: 'eap' } },
  {
    what: eapServer,
    options: eap,
    password: 'wrong',
    outcome: { cause: 'AUTH_TOPEER_FAILED', detail: 'error 691, wrong user name or password' },
  },
];

let namespace: Namespace;
let guest: Guest;
const rows: string[][] = [['OPTIONS', 'DIRECTION', 'OUR METHODS', 'OUR STRENGTHS', 'RESULT']];

before(async () => {
  namespace = await Namespace.create();
  guest = await Guest.boot(namespace, 1, debian13Root());
});

after(async () => {
  await namespace.remove();
  printTable('Interoperation with ppp 2.5, pptpd 1.5.0 and pptp-linux 1.10.0', rows);
});

function nameOf({ what }: Case): string {
  return typeof what === 'string' ? what : what.name;
}

function authOf({ options, password }: Case): string {
  const methods = [options['auth'] ?? 'mschap-v2'].flat().join(' ');
  return password === undefined ? methods : `${methods}, wrong password`;
}

function strengthsOf({ options }: Case): string {
  return [options['mppe_strength'] ?? '128'].flat().join(' ');
}

function note(from: Case, direction: string): void {
  const { outcome } = from;
  const result =
    'cause' in outcome
      ? `refused as expected: ${outcome.cause}`
      : `${outcome.auth}, ${outcome.mppe}`;
  rows.push([nameOf(from), direction, authOf(from), strengthsOf(from), result]);
}

async function start(t: TestContext, files: Readonly<Record<string, string>>): Promise<Gateway> {
  const gateway = await Gateway.start(namespace, files);
  t.after(async () => {
    await gateway.stop();
    await endPeers(guest);
  });
  return gateway;
}

for (const each of callers) {
  test(`${nameOf(each)}, dials our server with ${authOf(each)}, ${strengthsOf(each)}`, async (t) => {
    const { what, options, password, outcome } = each;
    const gateway = await start(t, serverFiles(options));
    const call = dial(guest, guest.gateway, what, { ...(password && { password }) });
    if ('cause' in outcome) {
      await call.ended;
      const [line] = await gateway.running.log.waitFor(new RegExp(`.*${outcome.cause}.*`));
      assert.ok(line.includes(outcome.detail ?? ''), line);
    } else {
      const { peer } = await call.up();
      assert.equal(peer, serverAddress);
      assert.equal(await ping(guest, peer), 3);
      const [session] = await gateway.sessions();
      assert.equal(session?.auth, outcome.auth);
      assert.equal(session.mppe, outcome.mppe);
      assert.equal(await call.hangUp(), 5, call.log.text);
      await gateway.running.log.waitFor(/down PEER_TERMINATED|down HANGUP/);
    }
    assert.equal(await gateway.stop(), 0, gateway.running.log.text);
    note(each, 'to our server');
  });
}

for (const each of servers) {
  test(`our client with ${authOf(each)}, ${strengthsOf(each)} dials pptpd: ${nameOf(each)}`, async (t) => {
    const { what, options, password, outcome } = each;
    const pptpd = await startPptpd(guest, what, { ...(password && { password }) });
    const gateway = await start(t, linkFiles(pptpd.address, options));
    const dialled = await gateway.command('dial', 'office');
    const [link] = (await gateway.status()).links;
    if ('cause' in outcome) {
      assert.equal(link?.cause?.code, outcome.cause, dialled.output);
      // Behind it stands what pppd itself says.
      assert.ok(link.cause.detail?.startsWith(outcome.detail ?? ''), link.cause.detail);
    } else {
      assert.equal(dialled.code, 0, `${dialled.output}\n${pptpd.log.text}`);
      assert.equal(link?.session?.auth, outcome.auth);
      assert.equal(link.session.mppe, outcome.mppe);
      assert.equal(await gateway.ping(pptpd.inner), 3);
      assert.equal((await gateway.command('hangup', 'office')).code, 0);
      await pptpd.log.waitFor(/^Connection terminated/);
    }
    assert.equal(await gateway.stop(), 0, gateway.running.log.text);
    note(each, 'from our client');
  });
}
