/**
 * Runs the commands of the documentation, with the configuration that stands in it: a router, the office whose server it dials, and
 * somebody on the road who dials it, in three network namespaces; and a router with its RADIUS server.
 *
 *     road  198.51.100.2 --- 198.51.100.1  router  203.0.113.2 --- 203.0.113.1  office
 *     road  198.51.100.2 --- 198.51.100.1  router  192.0.2.1 --- 192.0.2.10  radius
 *
 *     node --import tsx tools/docs/walk.ts --write      puts what the commands print below them; with --radius or --users in that page alone
 */
import { chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Lab, type Gateway, type Result } from '../lab.ts';
import { blocks, type Block } from './markdown.ts';
import { RadiusMachine } from './radius-machine.ts';

/** In this order: the office is dialled on the first. */
const pagesOfTheOffice = [
  'office-link.md',
  'home-vpn.md',
  'troubleshooting.md',
  'command-line.md',
  'usage.md',
  'ubus.md',
];
const PAGE_OF_RADIUS = 'radius.md';
/** With the server of another page. */
const PAGE_OF_USERS = 'users.md';
export const walkedPages = [...pagesOfTheOffice, PAGE_OF_RADIUS, PAGE_OF_USERS];

export interface Step {
  readonly page: string;
  readonly block: Block;
  readonly code: number | null;
  readonly output: string;
  /** The block of text below it: what it printed when the page was written. */
  readonly shown: Block | undefined;
}

const root = resolve(import.meta.dirname, '../..');
const docs = (page: string) => join(root, 'docs', page);
/** Names in the pages that the namespaces cannot resolve. */
const ADDRESSES = { 'vpn.example.com': '203.0.113.1' };

/** A block that is run: `sh` or `js` and nothing else, or where. */
export const isRun = ({ info: [language, where, ...more] }: Block) =>
  more.length === 0 &&
  ((language === 'sh' && (where === undefined || where === AT_RADIUS)) ||
    (language === 'js' && where === undefined));
/** On the RADIUS server. */
const AT_RADIUS = 'at=radius';

/** The configuration on the pages: `uci FILE`, or `uci FILE at=office`; what is only an example is `uci FILE optional`. */
export function configurationOf(
  pages: readonly string[],
  where: 'router' | 'office' | 'everywhere',
): Readonly<Record<string, string>> {
  const files: Record<string, string> = {};
  for (const { info, text } of pages.flatMap((page) => blocks(readFileSync(docs(page), 'utf8')))) {
    const [language, file = '', mark] = info;
    if (language !== 'uci') continue;
    if (where === 'everywhere' || mark === (where === 'office' ? 'at=office' : undefined))
      files[file] = `${files[file] ?? ''}${text}\n\n`;
  }
  return files;
}

/** Walks through the pages; each block that was run, with what it printed. */
export async function walk(labs: readonly Walk[] = walks): Promise<Step[]> {
  const steps: Step[] = [];
  for (const lab of labs) steps.push(...(await lab()));
  return steps;
}

type Walk = () => Promise<Step[]>;
const walks: readonly Walk[] = [walkOffice, walkRadius, walkUsers];

async function walkOffice(): Promise<Step[]> {
  const lab = new Lab('docs');
  try {
    const [router, office, road] = ['router', 'office', 'road'].map((name) => lab.namespace(name));
    lab.join('wan1', [
      [router!, '198.51.100.1/30'],
      [road!, '198.51.100.2/30'],
    ]);
    lab.join('wan2', [
      [router!, '203.0.113.2/30'],
      [office!, '203.0.113.1/30'],
    ]);
    const written = { ...configurationOf(pagesOfTheOffice, 'router') };
    for (const [name, address] of Object.entries(ADDRESSES))
      written['network'] = written['network']!.replaceAll(name, address);
    await lab.gateway('office', office!, configurationOf(pagesOfTheOffice, 'office'));
    const ours = await lab.gateway('router', router!, written);
    const caller = await lab.gateway('road', road!, { network: onTheRoad(written) });
    const bin = commandOf(lab, ours);
    const heard = async (text: string) => {
      const program = lab.start(router!, process.execPath, '--import', 'tsx', scriptOf(lab, ours, text)); // prettier-ignore
      await program.line(/^anna /m);
      await caller.command('hangup', 'home');
      await program.line(/"down"/);
      await caller.command('dial', 'mistyped');
      await program.line(/"auth-failed"/);
      await dialled(caller);
      await program.line(/"up"/);
      await ours.command('hangup', 'office');
      await program.line(/"state":"down"/);
      const { output } = await program.stop();
      return { code: 0, output };
    };

    const steps: Step[] = [];
    for (const page of pagesOfTheOffice) {
      if (page === 'home-vpn.md') await caller.command('dial', 'mistyped');
      await called(lab, road!, caller);
      const run = ({ info, text }: Block) =>
        info[0] === 'js' ? heard(text) : onRouter(lab, router!, bin, text);
      steps.push(...(await runBlocks(page, run)));
    }
    return steps;
  } finally {
    await lab.close();
  }
}

/** The Stop of a session is on its way. */
const UNTIL_STOPPED = `until sqlite3 /var/lib/freeradius/radius.db 'SELECT acctstoptime FROM radacct' | grep -q .; do sleep 0.1; done`;

/** The router of radius.md and its RADIUS server. */
async function walkRadius(): Promise<Step[]> {
  const lab = new Lab('docs-radius');
  let machine: RadiusMachine | undefined;
  try {
    const [router, radius, road] = ['router', 'radius', 'road'].map((name) => lab.namespace(name));
    lab.join('lan', [
      [router!, '192.0.2.1/24'],
      [radius!, '192.0.2.10/24'],
    ]);
    lab.join('wan1', [
      [router!, '198.51.100.1/30'],
      [road!, '198.51.100.2/30'],
    ]);
    const written = configurationOf([PAGE_OF_RADIUS], 'router');
    const certificates = (text: string) => text.replaceAll('/etc/pptp-gateway/', `${lab.dir}/`);
    machine = await RadiusMachine.start(lab, radius!);
    const { etc } = machine;
    const ours = await lab.gateway('router', router!, {
      ...written,
      pptp_radius: certificates(written['pptp_radius']!),
    });
    const bin = commandOf(lab, ours);
    const caller = await lab.gateway('road', road!, {
      network: linkOf('home', 'anna', 'Quartz-Lantern-62-Orbit'),
    });
    const run = async ({ info, text }: Block) => {
      if (text.includes('radclient')) await dialled(caller);
      if (text === 'pptp-gateway sessions') await called(lab, road!, caller);
      if (info[1] !== AT_RADIUS) return onRouter(lab, router!, bin, text);
      if (text.includes('FROM radacct')) await machine!.run(UNTIL_STOPPED);
      const done = await machine!.run(text);
      for (const file of text.includes('openssl')
        ? ['ca.pem', 'gateway-1.pem', 'gateway-1.key']
        : [])
        copyFileSync(join(etc, '3.0/certs', file), join(lab.dir, file));
      return done;
    };
    return await runBlocks(PAGE_OF_RADIUS, run);
  } finally {
    await machine?.stop();
    await lab.close();
  }
}

/** What fw4 makes of the page's /etc/config/firewall: a stand-in, for there is no fw4 here. */
const asFw4 = 'table inet fw4 { set staff { type ipv4_addr; }; }';

/** A caller who is in a group. */
async function walkUsers(): Promise<Step[]> {
  const lab = new Lab('docs-users');
  try {
    const [router, road] = ['router', 'road'].map((name) => lab.namespace(name));
    lab.join('wan1', [
      [router!, '198.51.100.1/30'],
      [road!, '198.51.100.2/30'],
    ]);
    await lab.run(router!, 'nft', asFw4);
    const written = configurationOf(['home-vpn.md', PAGE_OF_USERS], 'router');
    const ours = await lab.gateway('router', router!, written);
    const caller = await lab.gateway('road', road!, { network: onTheRoad(written) });
    await called(lab, road!, caller);
    const bin = commandOf(lab, ours);
    return await runBlocks(PAGE_OF_USERS, ({ text }) => onRouter(lab, router!, bin, text));
  } finally {
    await lab.close();
  }
}

async function runBlocks(page: string, run: (block: Block) => Promise<Result>): Promise<Step[]> {
  const steps: Step[] = [];
  const all = blocks(readFileSync(docs(page), 'utf8'));
  for (const [index, block] of all.entries()) {
    if (!isRun(block)) continue;
    const { code, output } = await run(block);
    const next = all[index + 1];
    const follows = next?.info[0] === 'text' && next.line === endOf(block) + 3;
    steps.push({ page, block, code, output, shown: follows ? next : undefined });
  }
  return steps;
}

function onRouter(lab: Lab, namespace: string, bin: string, commands: string): Promise<Result> {
  const script = `set -e; PATH=${bin}:$PATH; cd ${lab.dir}\n${commands}`;
  return lab.run(namespace, 'sh', '-c', script);
}

/** The user of home-vpn.md calls, once as the page has it and once with another password. */
function onTheRoad({ network, pptp_users: users }: Readonly<Record<string, string>>): string {
  const server = /interface '(\w+)'\n\toption proto 'pptpserver'/.exec(network ?? '')?.[1];
  const [, username, password] =
    /option username '(.*)'\n\toption password '(.*)'/.exec(users ?? '') ?? [];
  if (server === undefined || password === undefined) throw new Error('home-vpn.md has no server');
  return linkOf('home', username!, password) + linkOf('mistyped', username!, `${password}?`);
}

/** Of somebody on the road. */
function linkOf(name: string, username: string, password: string): string {
  return `config interface '${name}'
	option proto 'pptpgw'
	option server '198.51.100.1'
	option username '${username}'
	option password '${password}'
	option defaultroute '0'
	option auto '0'
	option holdoff '3600'
	option holdoff_max '3600'

`;
}

async function called(lab: Lab, namespace: string, caller: Gateway): Promise<void> {
  await dialled(caller);
  await lab.run(namespace, 'ping', '-c', '3', '-i', '0.2', '192.168.99.1'); // something to count
}

async function dialled(caller: Gateway): Promise<void> {
  const { code, output } = await caller.command('dial', 'home');
  if (code !== 0) throw new Error(output);
}

/** A folder with the command pptp-gateway, as it is on a router; the daemon is the one given. */
function commandOf(lab: Lab, { configDir }: Gateway): string {
  const bin = join(lab.dir, 'bin');
  const command = join(bin, 'pptp-gateway');
  mkdirSync(bin);
  writeFileSync(
    command,
    `#!/bin/sh
case $1 in
run | import | version | help) ;;
*) set -- "$@" --socket ${configDir}/run/ubus.sock ;;
esac
exec ${process.execPath} ${join(root, 'dist/pptp-gateway.js')} "$@"
`,
  );
  chmodSync(command, 0o755);
  return bin;
}

/** A program for the daemon given, with the package ubus-js beside it. */
function scriptOf(lab: Lab, { configDir }: Gateway, text: string): string {
  const ubus = join(lab.dir, 'node_modules/@pptp-gateway/ubus-js');
  mkdirSync(ubus, { recursive: true });
  writeFileSync(join(ubus, 'package.json'), '{ "type": "module", "exports": "./index.js" }');
  writeFileSync(join(ubus, 'index.js'), `export * from '${join(root, 'src/ubus-js/index.ts')}';`);
  const script = join(lab.dir, 'program.mjs');
  writeFileSync(script, text.replaceAll('/var/run/pptp-gateway', join(configDir, 'run')));
  return script;
}

const endOf = ({ line, text }: Block) => line + text.split('\n').length - 1;

if (process.argv[1] === import.meta.filename) {
  const only = { '--radius': walkRadius, '--users': walkUsers };
  const chosen = Object.entries(only).filter(([word]) => process.argv.includes(word));
  const steps = await walk(chosen.length === 0 ? walks : chosen.map(([, one]) => one));
  for (const { page, block, code, output } of steps)
    process.stdout.write(`${page}: ${block.text.replaceAll('\n', '; ')} [${code}]\n${output}\n`);
  if (process.argv.includes('--write'))
    for (const { page, shown, output } of steps.toReversed()) {
      if (shown === undefined) continue;
      const lines = readFileSync(docs(page), 'utf8').split('\n');
      const printed = output.trimEnd().split('\n');
      lines.splice(
        shown.line - 1,
        shown.text === '' ? 0 : shown.text.split('\n').length,
        ...printed,
      );
      writeFileSync(docs(page), lines.join('\n'));
    }
}
