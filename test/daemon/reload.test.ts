/**
 * The whole option table on the real kernel: every option is changed while sessions and relayed calls are up, and ends what its
 * class promises, and nothing else.
 *
 *     far 203.0.113.1 -- wan  router  outer1 198.18.1.1 -- links one (anna), two (bert)
 *                             lan1  lan2    outer2 198.18.2.1 -- link three (carl)
 *                               |     |
 *            branch's client 192.168.1.10   192.168.2.10 shop's client
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { uciFiles } from '../../src/daemon/configuration/configuration.ts';
import type { Applies } from '../../src/daemon/configuration/option-table.ts';
import type { SessionDocument, StatusDocument } from '../../src/daemon/reports/documents.ts';
import { Lab, type Gateway, type Program } from '../../tools/lab.ts';
import { call } from '../support/control.ts';
import {
  base,
  changes,
  tables,
  text,
  type Change,
  type Kind,
  type Section,
} from './configuration/changes.ts';

const lab = new Lab('reload');
const script = resolve(import.meta.dirname, 'relays/relay-end.ts');
const links = Object.keys(base.link);
let routerSide: string;
let router: Gateway;
let branch: Gateway;
/** By their device. */
const spaces: Record<string, string> = {};
const clients: Record<string, Program> = {};

before(async () => {
  routerSide = lab.namespace('router');
  const branchSide = lab.namespace('branch');
  const far = lab.namespace('far');
  for (const [device, space, net] of [
    ['outer1', branchSide, '198.18.1'],
    ['outer2', branchSide, '198.18.2'],
    ['lan1', lab.namespace('one'), '192.168.1'],
    ['lan2', lab.namespace('two'), '192.168.2'],
    ['wan', far, '203.0.113'],
  ] as const) {
    const isOuter = space === far;
    lab.join(device, [
      [routerSide, `${net}.${isOuter ? 2 : 1}/24`],
      [space, `${net}.${isOuter ? 1 : 10}/24`],
    ]);
    if (device.startsWith('lan'))
      await lab.run(space, 'ip', 'route', 'add', 'default', 'via', `${net}.1`);
    spaces[device] = space;
  }
  await lab.run(routerSide, 'sysctl', '-qw', 'net.ipv4.ip_forward=1');
  const nat =
    'table ip nat { chain post { type nat hook postrouting priority srcnat; oifname "wan" masquerade; }; }';
  await lab.run(routerSide, 'nft', nat);
  await end(far, 'server', '203.0.113.1').line(/listening/);
  router = await lab.gateway('router', routerSide, ofRouter());
  branch = await lab.gateway('branch', branchSide, { network: text('link') });
});

after(() => lab.close());

function end(namespace: string, ...words: readonly string[]): Program {
  return lab.start(namespace, process.execPath, '--import', 'tsx', script, ...words);
}

function ofRouter(
  kind?: Kind,
  more?: Section,
): Readonly<Record<(typeof uciFiles)[number], string>> {
  const of = (each: Kind) => text(each, each === kind ? more : {});
  return {
    network: of('server'),
    pptp_users: of('user'),
    pptp: of('globals') + of('relay'),
    pptp_radius: of('radius') + of('nas'),
  };
}

const sessions = async (gateway: Gateway) =>
  (await call<{ sessions: SessionDocument[] }>(gateway, 'sessions')).sessions;

/** What an upgrade takes up, as it was last. */
const upgraded: Partial<Record<Kind, string>> = {};

/** Takes a kind's first section up with these options. */
async function reload(kind: Kind, more: Section): Promise<void> {
  const from = router.process.output.length;
  const table = tables[kind] as Readonly<Partial<Record<string, { applies: Applies }>>>;
  const ofUpgrade = Object.entries(more).filter(([name]) => table[name]?.applies === 'upgrade');
  const before = upgraded[kind] ?? '[]';
  upgraded[kind] = JSON.stringify(ofUpgrade);
  if (kind === 'link') branch.configure({ network: text('link', more) });
  else router.configure(ofRouter(kind, more));
  const { faults } = await call<{ faults: unknown[] }>(kind === 'link' ? branch : router, 'reload');
  assert.deepEqual(faults, []);
  if (upgraded[kind] !== before)
    await router.process.line(
      /taken up by an upgrade in place[^]*sessions go on[^]*is running/,
      from,
    );
}

async function until(what: () => Promise<string | undefined>): Promise<void> {
  const deadline = performance.now() + 30_000;
  for (;;) {
    const lacking = await what();
    if (lacking === undefined) return;
    assert.ok(performance.now() < deadline, lacking);
    await new Promise((done) => setTimeout(done, 20));
  }
}

/** Everything is up, whatever the last change has ended. @param via where branch's client calls */
async function restore(via: string): Promise<void> {
  const { relays } = await call<StatusDocument>(router, 'status');
  for (const [relay, device, address] of [
    ['branch', 'lan1', via],
    ['shop', 'lan2', '203.0.113.1'],
  ] as const) {
    if (relays.find(({ name }) => name === relay)?.calls.length === 1) continue;
    await clients[relay]?.stop();
    clients[relay] = end(spaces[device]!, 'client', address, relay, '1', '1');
    await clients[relay].line(/ready/);
  }
  await until(async () => {
    const [callers, dialled] = await Promise.all([sessions(router), sessions(branch)]);
    const missing = links.filter((link) => {
      const found = dialled.filter((session) => session.link === link);
      return (
        found.length !== 1 ||
        !callers.some(
          ({ callid, peer_callid }) =>
            callid === found[0]!.peer_callid && peer_callid === found[0]!.callid,
        )
      );
    });
    for (const link of missing) await call(branch, 'dial', { interface: link });
    return missing.length + Math.abs(callers.length - links.length) === 0
      ? undefined
      : `${missing.join(' ')} of ${JSON.stringify(callers)}`;
  });
}

type Seen = Readonly<Record<string, string>>;

/** What there is on the side that is changed: sessions, calls, devices, each with what is another number for another one. */
async function look(kind: Kind): Promise<Seen> {
  if (kind === 'link') {
    const up = await sessions(branch);
    const downs = (name: string) => branch.process.output.split(`link ${name}: down`).length;
    return Object.fromEntries([
      ...up.map(({ link, id }) => [`session of ${link}`, String(id)] as const),
      ...links.map((name) => [`link ${name}`, String(downs(name))] as const),
    ]);
  }
  const { relays } = await call<StatusDocument>(router, 'status');
  const devices = JSON.parse(
    execFileSync('ip', ['-n', routerSide, '-json', 'link', 'show'], { encoding: 'utf8' }),
  ) as { ifname: string; ifindex: number }[];
  return Object.fromEntries([
    ...(await sessions(router)).map(
      ({ username, id }) => [`session of ${username}`, String(id)] as const,
    ),
    ...devices
      .filter(({ ifname }) => ifname.startsWith('pptps-'))
      .map(({ ifname, ifindex }) => [ifname, String(ifindex)] as const),
    ...relays.map(
      ({ name, calls }) => [`calls of ${name}`, calls.map(({ id }) => id).join()] as const,
    ),
  ]);
}

const concerned: Readonly<Record<Kind, readonly string[]>> = {
  server: ['session of anna', 'session of bert'],
  user: ['session of anna'],
  link: ['session of one'],
  globals: [],
  relay: [],
  radius: [],
  nas: [],
};
const anew: Readonly<Record<Kind, readonly string[]>> = {
  server: ['pptps-home'],
  link: ['link one'],
  user: [],
  globals: [],
  relay: ['calls of branch'],
  radius: [],
  nas: [],
};

/** What makes the first section of a kind one that is not there. */
const off: Partial<Record<Kind, Section>> = { server: { disabled: '1' }, relay: { enabled: '0' } };

const endsOf: Readonly<Record<Applies, Change['ends']>> = {
  live: 'nothing',
  'new-sessions': 'nothing',
  upgrade: 'nothing',
  restart: 'nothing',
  disallowed: 'some',
  session: 'sessions',
  listener: 'all',
};

function promised(kind: Kind, { ends, spares }: Change): readonly string[] {
  const sessionsOf = concerned[kind].filter((name) => name !== `session of ${spares}`);
  if (ends === 'nothing') return [];
  return ends === 'all' ? [...sessionsOf, ...anew[kind]] : sessionsOf;
}

/** What the kernel has of the servers and the relays. */
async function picture(): Promise<readonly string[]> {
  const run = async (...words: readonly [string, ...string[]]) =>
    (await lab.run(routerSide, ...words)).output.split('\n');
  const addresses = await run('ip', '-oneline', 'address', 'show');
  const devices = await run('ip', '-oneline', 'link', 'show');
  const listening = await run('ss', '-Hltn', 'sport < 10000');
  const rules = await run('nft', 'list', 'table', 'ip', 'pptp_gateway_relay');
  return [
    ...addresses.flatMap((line) => /pptps-.*? brd|pptps-.*? scope/.exec(line)?.[0] ?? []),
    ...devices.flatMap((line) => /pptps-.* mtu \d+/.exec(line)?.[0] ?? []),
    ...listening.map((line) => line.replace(/ +/g, ' ')),
    ...rules
      .filter((line) => line.includes('iifname'))
      .map((line) => line.replace(/(to_\w+_|redirect to :)\d+/g, '$1')),
  ].sort();
}

for (const kind of Object.keys(tables) as Kind[])
  describe(kind, () => {
    test('every option is here', () => {
      assert.deepEqual(Object.keys(changes[kind]).sort(), Object.keys(tables[kind]).sort());
    });

    for (const [name, change] of Object.entries(
      changes[kind] as Readonly<Record<string, Change>>,
    )) {
      const { applies } = (tables[kind] as Readonly<Record<string, { applies: Applies }>>)[name]!;
      test(`${name}: ${applies}`, async () => {
        assert.equal(endsOf[applies], change.ends);
        const { among = {} } = change;
        await reload(kind, among);
        await restore(among['direction'] === 'inbound' ? '192.168.1.1' : '203.0.113.1');
        const first = await look(kind);
        const ended = (seen: Seen) =>
          Object.keys(first).filter((each) => first[each] !== seen[each]);
        if (change.allows !== undefined) {
          await reload(kind, { ...among, [name]: change.allows });
          assert.deepEqual(ended(await look(kind)), [], 'what is still allowed stays');
        }
        const changed = { ...among, ...change.with, [name]: change.to };
        await reload(kind, changed);
        assert.deepEqual(ended(await look(kind)).sort(), [...promised(kind, change)].sort());
        if (!(kind in off)) return;
        const now = await picture();
        await reload(kind, off[kind]!);
        await reload(kind, changed);
        assert.deepEqual(now, await picture(), 'as it is from the start on');
      });
    }

    after(() => reload(kind, {}));
  });
