/**
 * A daemon becomes another program while sessions go on: real processes, devices and packets, plain Linux.
 *
 *     router 203.0.113.1 ---- wan ---- 203.0.113.2 far
 *            198.18.1.1 ---- side ---- 198.18.1.2 another
 */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { Lab, node, type Gateway, type Program } from '../../tools/lab.ts';

const bundle = resolve(import.meta.dirname, '../../dist/pptp-gateway.js');
const lab = new Lab('upgrade');
const launcher = join(lab.dir, 'launcher');
let router: string;
let far: string;
let another: string;

const files = {
  pptp_users: `config user
	option username 'anna'
	option password 'secret of anna'
`,
  pptp: '',
};
const server = `config interface 'vpn'
	option proto 'pptpserver'
	option localip '192.168.99.1'
	option network '192.168.99.0/24'
`;
const link = (more = '') => `config interface 'office'
	option proto 'pptpgw'
	option server '203.0.113.1'
	option username 'anna'
	option password 'secret of anna'
	option defaultroute '0'
${more}`;

before(() => {
  router = lab.namespace('router');
  far = lab.namespace('far');
  lab.join('wan', [
    [router, '203.0.113.1/24'],
    [far, '203.0.113.2/24'],
  ]);
  another = lab.namespace('another');
  lab.join('side', [
    [router, '198.18.1.1/24'],
    [another, '198.18.1.2/24'],
  ]);
  lab.launcher = ['env', `PPTP_GATEWAY_LAUNCHER=${launcher}`];
});

after(() => lab.close());

/** What an upgrade starts: for the trial, and in earnest. */
function install(script: string, trial = script): void {
  writeFileSync(
    `${launcher}.new`,
    `#!/bin/sh\nif [ "$PPTP_GATEWAY_INHERITED" = trial ]; then ${trial}; else ${script}; fi\n`,
  );
  chmodSync(`${launcher}.new`, 0o755);
  // As a package does it.
  writeFileSync(launcher, readFileSync(`${launcher}.new`));
  chmodSync(launcher, 0o755);
}

const program = (script: string) => `exec ${node.join(' ')} ${script} "$@"`;

async function tunnel(more = '', users = ''): Promise<{ home: Gateway; office: Gateway }> {
  install(program(bundle));
  const home = await lab.gateway('home', router, { ...files, network: `${server}${users}` });
  const office = await lab.gateway('office', far, { ...files, network: link(more) }, '--dial');
  await office.process.line(/link office: up/);
  await home.process.line(/user "anna".*: up/);
  return { home, office };
}

async function upgrade(gateway: Gateway): Promise<string> {
  const from = gateway.process.output.length;
  const { code, output } = await gateway.command('upgrade');
  assert.equal(code, 0, output + gateway.process.output);
  return gateway.process.line(/upgrade from .* sessions go on.*/, from);
}

interface Shown {
  readonly id: number;
  readonly uptime: number;
  readonly rx_packets: number;
  readonly lost: number;
}

const sessions = (gateway: Gateway) => gateway.json<Shown[]>('sessions');

/** A stream of so many octets over the tunnel, towards the router; it is told as a digest at both ends. */
function stream(octets: number): { readonly from: Program; readonly to: Program } {
  const { log } = { log: 'process.stdout.write' };
  const to = `const h=require('crypto').createHash('sha256');let n=0;require('net').createServer(s=>{s.on('data',d=>{h.update(d);n+=d.length;if(n%1e6<d.length)${log}('.')});s.on('close',()=>{${log}('digest '+h.digest('hex')+' '+n+'\\n');process.exit()})}).listen(5000,'192.168.99.1',()=>${log}('listening\\n'))`;
  const from = `const c=require('crypto');const h=c.createHash('sha256');const s=require('net').connect(5000,'192.168.99.1');let n=0;const go=()=>{while(n<${octets}){const d=c.randomBytes(10000);h.update(d);n+=d.length;if(!s.write(d))return s.once('drain',go)}s.end()};s.on('connect',go);s.on('error',e=>{${log}(String(e));process.exit(1)});s.on('close',()=>${log}('digest '+h.digest('hex')+' '+n+'\\n'))`;
  const receiver = lab.start(router, process.execPath, '-e', to);
  return { to: receiver, from: lab.start(far, 'sh', '-c', `sleep 0.5; exec "$0" -e "$1"`, process.execPath, from) }; // prettier-ignore
}

async function end(...gateways: readonly Gateway[]): Promise<void> {
  for (const gateway of gateways) await gateway.process.stop();
}

test('a stream goes on over upgrades of both ends, and nothing ends', async () => {
  const { home, office } = await tunnel();
  const pids = [home.process.pid, office.process.pid];
  const before = await sessions(home);
  const { from, to } = stream(12_000_000);
  for (let n = 0; n < 3; n++) {
    await to.line(/\./, 2 * n);
    await upgrade(home);
    await upgrade(office);
  }
  const [sent] = await Promise.all([from.line(/digest .*/), to.line(/digest .*/)]);
  assert.equal(await to.line(/digest .*/), sent);
  const after = await sessions(home);
  assert.equal(after.length, 1);
  assert.equal(after[0]!.id, before[0]!.id);
  assert(after[0]!.uptime >= before[0]!.uptime);
  assert(after[0]!.rx_packets > before[0]!.rx_packets + 8_000);
  assert.deepEqual([home.process.pid, office.process.pid], pids);
  for (const { process: daemon } of [home, office])
    assert.doesNotMatch(daemon.output, /: down|pptp error|had gone/);
  const { upgrades } = await home.json<{ upgrades: number }>('status');
  assert.equal(upgrades, 3);
  await end(office, home);
  assert.match(home.process.output, /HANGUP|PEER_TERMINATED/);
});

test('other kinds: stateful MPPE, a rate, a pause on demand; and who calls while nobody listens', async () => {
  const more = `	option demand '600'
	option stateless '0'
	option rate_up '4000'
`;
  const { home, office } = await tunnel(
    more.replace("	option demand '600'\n", ''),
    `	option stateless '0'
	option rate_down '8000'
`,
  );
  const { from, to } = stream(2_000_000);
  await to.line(/\./);
  await upgrade(home);
  await upgrade(office);
  const sent = await from.line(/digest .*/);
  assert.equal(await to.line(/digest .*/), sent);
  assert.equal((await sessions(home)).length, 1);

  // A second caller connects while the server is another program's.
  const network = link().replace('office', 'second').replace('203.0.113.1', '198.18.1.1');
  const [upgraded, second] = await Promise.all([
    upgrade(home),
    lab.gateway('second', another, { ...files, network }, '--dial'),
  ]);
  assert.match(upgraded, /sessions go on/);
  await second.process.line(/link second: up/);
  await end(second, office, home);
});

test('a link that waits for a packet still does after an upgrade', async () => {
  install(program(bundle));
  const home = await lab.gateway('home', router, { ...files, network: server });
  const network = link("	option demand '600'\n	list route '192.168.99.0/24'\n");
  const office = await lab.gateway('office', far, { ...files, network }, '--dial');
  await office.process.line(/link office: demand/);
  await upgrade(office);
  assert.equal((await lab.run(far, 'ping', '-c', '3', '-w', '30', '192.168.99.1')).code, 0);
  await office.process.line(/link office: up/);
  await upgrade(office);
  assert.equal((await lab.run(far, 'ping', '-c', '1', '-w', '30', '192.168.99.1')).code, 0);
  await end(office, home);
});

async function refused(gateway: Gateway, why: RegExp): Promise<void> {
  const { code, output } = await gateway.command('upgrade');
  assert.equal(code, 1, output);
  assert.match(output, why);
  assert.match(gateway.process.output, why);
}

test('a program that is broken, missing or does not know how is not taken, and nothing ends', async () => {
  const { home, office } = await tunnel();
  install('exit 1', "echo 'Error: no such thing' >&2; exit 1");
  await refused(home, /does not come up: Error: no such thing/);
  install('exit 1', `exec ${process.execPath} -e 'throw new TypeError("is no bundle")'`);
  await refused(home, /does not come up: TypeError: is no bundle/);
  install('exit 1', 'echo pptp-gateway 0.9');
  await refused(home, /does not know how to take over/);
  writeFileSync(launcher, 'no program');
  chmodSync(launcher, 0o644);
  await refused(home, /does not come up/);
  // Twice at once: one of them is the one.
  install(program(bundle));
  const both = await Promise.all([home.command('upgrade'), home.command('upgrade')]);
  assert.deepEqual(both.map(({ code }) => code).sort(), [0, 1]);
  assert.match(both.map(({ output }) => output).join(), /under way already/);
  assert.equal((await sessions(home)).length, 1);
  assert.doesNotMatch(home.process.output, /: down/);
  await end(office, home);
});

/** A program that differs from the bundle. */
function variant(name: string, from: RegExp, to: string): string {
  const text = readFileSync(bundle, 'utf8');
  const changed = text.replace(from, to);
  assert(changed !== text, name);
  const path = join(lab.dir, `${name}.cjs`);
  writeFileSync(path, changed);
  writeFileSync(join(lab.dir, 'native.node'), readFileSync(join(bundle, '../native.node')));
  return path;
}

/** Only when it takes over, not when it is tried. */
const inEarnest = (script: string) =>
  `if ((process.env.PPTP_GATEWAY_INHERITED ?? 'trial') !== 'trial') { ${script} }`;
/** Before anything of the program; when it restores sessions; before it takes over. */
const atTop = (name: string, script: string) => variant(name, /\n/, `\n${inEarnest(script)}\n`);
const atRestore = (name: string, script: string) =>
  variant(name, /(`server \$\{[\w$]+\.name\}: its sessions`)/, `(()=>{${script}})()||$1`);
const beforeTakingOver = (name: string, script: string) =>
  variant(
    name,
    /await ([\w$]+)\.resume\(([\w$]+(?:,[\w$]+){2},\(\)=>)/,
    `(await(${script}))||await $1.resume($2`,
  );

/** As if the state document were another. */
const readAs = (name: string, change: string) =>
  variant(name, /\.octets\(`\/proc\/self\/fd\/\$\{[^}]+\}`\)/, `$&.${change}`);

/** What comes up in its place gives back, for this reason, and the session goes on. */
async function givesBack(home: Gateway, script: string, why: RegExp): Promise<void> {
  install(program(script));
  const before = home.process.output.length;
  const { code, output } = await home.command('upgrade');
  assert.equal(code, 1, output);
  assert.match(output, why);
  const line = await home.process.line(/the new program did not come up .*/, before);
  assert.match(line, /1 sessions go on/);
  assert.match(line, why);
}

test('a program that fails when it is to take over gives back, with the same sessions', async () => {
  const { home, office } = await tunnel();
  const { from, to } = stream(4_000_000);
  await to.line(/\./);
  const { pid } = home.process;
  const [{ id }] = (await sessions(home)) as [Shown];
  for (const [script, why] of [
    [variant('other', /"pptp-gateway-state"/, '"another-state"'), /it is no state document/],
    [readAs('altered', 'map((o,i)=>i===400?o^1:o)'), /it is damaged/],
    [beforeTakingOver('rejects', 'Promise.reject(new Error("no good"))'), /no good/],
    [atTop('throws', 'throw new Error("no good")'), /it ended/],
    [atTop('ends', 'process.exit(0)'), /it ended/],
    [atRestore('leaves', 'process.exit(0)'), /it ended/],
    [
      `--max-old-space-size=40 ${atRestore('memory', 'const all=[];for(;;)all.push(new Array(1e5).fill(all.length+0.5))')}`,
      /signal \d+ ended it/,
    ],
  ] as const)
    await givesBack(home, script, why);
  const sent = await from.line(/digest .*/);
  assert.equal(await to.line(/digest .*/), sent);
  assert.doesNotMatch(home.process.output, /: down/);
  // And the next one that is sound is taken.
  install(program(bundle));
  await upgrade(home);
  assert.equal((await sessions(home))[0]!.id, id);
  assert.equal(home.process.pid, pid);
  assert.equal(existsSync(join(home.configDir, 'run/previous.cjs')), false);
  await end(office, home);
});

test('a program that hangs gives back when its time is over, wherever it hangs', async () => {
  const { home, office } = await tunnel();
  const other = await lab.gateway('other', another, { ...files, network: server });
  // Where nobody would hear of a timer, where all that is waited for never comes, and while it is only tried.
  const asked = [];
  for (const [gateway, script] of [
    [office, atTop('loops', 'for(;;);')],
    [home, beforeTakingOver('waits', 'new Promise(()=>setInterval(()=>{},1e6))')],
  ] as const) {
    install(program(script));
    asked.push(gateway.command('upgrade'));
    await gateway.process.line(/it would come up/);
  }
  install(program(variant('tried', /\n/, '\nfor(;;);\n')));
  asked.push(other.command('upgrade'));
  for (const { code, output } of await Promise.all(asked)) {
    assert.equal(code, 1);
    assert.match(output, /did not come up.* within 30 s/);
  }
  for (const { process: daemon } of [home, office]) assert.doesNotMatch(daemon.output, /: down/);
  assert.equal((await sessions(home)).length, 1);
  assert.equal((await lab.run(far, 'ping', '-c', '1', '-w', '30', '192.168.99.1')).code, 0);
  await end(other, office, home);
});

test('signals that come while no program handles them wait for the next one', async () => {
  const { home, office } = await tunnel();
  const readAgain = () => home.process.output.split('configuration read again').length - 1;
  let wanted = 0;
  for (let n = 0; n < 4; n++) {
    install(program(bundle));
    const from = home.process.output.length;
    const asked = home.command('upgrade');
    await home.process.line(/it would come up/, from);
    // From before execve until the next one is there.
    while (!/sessions go on/.test(home.process.output.slice(from))) {
      home.process.signal('SIGHUP');
      await new Promise((resolve) => setTimeout(resolve, 10 + 7 * n));
    }
    assert.equal((await asked).code, 0);
    home.process.signal('SIGHUP');
    await home.process.line(/configuration read again/, from);
    assert(readAgain() > wanted);
    wanted = readAgain();
  }
  assert.doesNotMatch(home.process.output, /: down/);
  assert.equal((await sessions(home)).length, 1);
  // And whoever asks it to end is not asked twice.
  const from = home.process.output.length;
  const asked = home.command('upgrade');
  await home.process.line(/it would come up/, from);
  await new Promise((resolve) => setTimeout(resolve, 150));
  home.process.signal('SIGTERM');
  const { code, output } = await home.process.ended;
  assert.equal(code, 0);
  assert.match(output, /stopping/);
  await asked;
  await office.process.line(/link office: waiting (HANGUP|PEER_TERMINATED)/);
  await end(office);
});

test('a program with another form of sessions: an ordinary restart, with goodbyes and a line', async () => {
  const { home, office } = await tunnel();
  const pid = home.process.pid;
  install(program(variant('older', /version:([\w$]+),state:[\w$]+/, 'version:$1,state:0')));
  const { code, output } = await home.command('upgrade');
  assert.equal(code, 1);
  assert.match(output, /started anew/);
  await home.process.line(/knows another form of sessions \(0, here \d+\), so they end/);
  await home.process.line(/session 1 .*: down SHUTDOWN/);
  await office.process.line(/link office: waiting (HANGUP|PEER_TERMINATED)/);
  assert.equal(home.process.pid, pid);
  await end(office, home);
});

test('without any session', async () => {
  install(program(bundle));
  const home = await lab.gateway('home', router, { ...files, network: server });
  await upgrade(home);
  await upgrade(home);
  const office = await lab.gateway('office', far, { ...files, network: link() }, '--dial');
  await office.process.line(/link office: up/);
  await end(office, home);
});

for (const backend of ['ebpf', 'relay'] as const) {
  test(`a call that passes through goes on over upgrades of the router between, backend ${backend}`, async () => {
    const middle = lab.namespace(`middle-${backend}`);
    const branch = lab.namespace(`branch-${backend}`);
    const main = lab.namespace(`main-${backend}`);
    lab.join(`lan-${backend}`, [
      [middle, '192.168.1.1/24'],
      [branch, '192.168.1.10/24'],
    ]);
    lab.join(`wan-${backend}`, [
      [middle, '198.51.100.1/24'],
      [main, '198.51.100.2/24'],
    ]);
    await lab.run(branch, 'ip', 'route', 'add', 'default', 'via', '192.168.1.1');
    await lab.run(middle, 'sysctl', '-qw', 'net.ipv4.ip_forward=1');
    const relay = `config relay 'office'
	option src 'lan-${backend}'
	option dest 'wan-${backend}'
	option backend '${backend}'
`;
    install(program(bundle));
    const passing = await lab.gateway(`middle-${backend}`, middle, { network: '', pptp: relay });
    const home = await lab.gateway(`main-${backend}`, main, { ...files, network: server });
    const network = link().replace('203.0.113.1', '198.51.100.2');
    const office = await lab.gateway(`branch-${backend}`, branch, { ...files, network }, '--dial');
    await office.process.line(/link office: up/);
    await passing.process.line(/relay office call .*: up/);
    interface Relays {
      readonly relays: readonly {
        readonly backend: string;
        readonly calls: readonly { readonly id: number; readonly rx_packets: number }[];
      }[];
    }
    const call = async () => (await passing.json<Relays>('status')).relays[0]!.calls[0]!;
    const pings = async () => {
      const { code, output } = await lab.run(
        branch,
        'ping',
        '-c',
        '5',
        '-i',
        '0.2',
        '192.168.99.1',
      );
      assert.equal(code, 0, output);
    };
    assert.equal((await passing.json<Relays>('status')).relays[0]!.backend, backend);
    await pings();
    let before = await call();
    for (let n = 0; n < 2; n++) {
      await upgrade(passing);
      await pings();
      const now = await call();
      assert.equal(now.id, before.id);
      assert(now.rx_packets >= before.rx_packets + 5, JSON.stringify([before, now]));
      before = now;
      assert.equal((await passing.json<Relays>('status')).relays[0]!.backend, backend);
    }
    await office.process.stop();
    await passing.process.line(/relay office call .*: down/);
    await end(home, passing);
  });
}
