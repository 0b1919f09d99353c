/**
 * `make deb-try-on`: Debian 12 and 13 with a real systemd as PID 1, each a root of its own in a container, on which the packages in
 * dist/deb are installed, started, called, reloaded, stopped and purged, as docs/install-linux.md has it.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Lab } from '../lab.ts';

const folder = resolve(import.meta.dirname, '../..');
const built = join(folder, 'dist/deb');
const PASSWORD = 'Quartz-Lantern-62-Orbit';
const PATIENCE = 120_000; // ms; a busy machine is slow

interface Suite {
  readonly name: string;
  /** Of ours; Debian 12's own Node.js is too old. */
  readonly packages: readonly string[];
  readonly include: string;
}

const BASE = 'systemd,systemd-sysv,dbus,iproute2,nftables';
const suites: readonly Suite[] = [
  { name: 'bookworm', packages: ['pptp-gateway', 'pptp-gateway-node'], include: BASE },
  { name: 'trixie', packages: ['pptp-gateway'], include: `${BASE},nodejs` },
];

/** An archive of the root, made once. What our packages depend on is in it: installing them needs no network. */
function archiveOf({ name, include }: Suite): string {
  const archive = join(folder, `node_modules/.cache/roots/${name}.tar`);
  if (existsSync(archive)) return archive;
  mkdirSync(dirname(archive), { recursive: true });
  const targets = [
    'indextargets',
    '--format',
    '$(REPO_URI)',
    'Created-By: Packages',
    'Label: Debian',
  ];
  const [mirror = ''] = execFileSync('apt-get', targets, { encoding: 'utf8' }).split('\n');
  assert.notEqual(mirror, '', 'apt has no mirror of Debian');
  const unready = join(dirname(archive), `unready-${name}.tar`);
  execFileSync(
    'mmdebstrap',
    ['--quiet', '--variant=minbase', `--include=${include}`, name, unready, mirror],
    { stdio: 'inherit' },
  );
  execFileSync('mv', [unready, archive]);
  return archive;
}

/** A root that runs. */
class Machine {
  readonly #container;
  readonly #ended;
  #systemd = 0;
  #said = '';

  constructor(name: string, root: string) {
    // Neither the machine's own systemd nor its cgroups need be of version 2.
    this.#container = spawn(
      'systemd-nspawn',
      [
        ...['--quiet', `--directory=${root}`, `--machine=${name}`, '--register=no', '--keep-unit'],
        ...['--private-network', '--bind=/dev/net/tun', '--console=pipe', '--boot'],
        'systemd.log_target=journal',
      ],
      {
        stdio: ['ignore', 'ignore', 'pipe'],
        env: { ...process.env, SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: '1' },
      },
    );
    this.#container.stderr.setEncoding('utf8').on('data', (text: string) => (this.#said += text));
    this.#ended = once(this.#container, 'close');
  }

  /** PID 1 of the container, as it is called outside; its network namespace is the container's. */
  get systemd(): number {
    return this.#systemd;
  }

  async booted(): Promise<void> {
    const children = `/proc/${this.#container.pid}/task/${this.#container.pid}/children`;
    const until = Date.now() + PATIENCE;
    while (!this.#isUp()) {
      const lives = this.#container.exitCode === null && Date.now() < until;
      assert.ok(lives, `it does not boot: ${this.#said}`);
      await delay(200);
      this.#systemd = Number(readFileSync(children, 'latin1').split(' ')[0]);
    }
  }

  #isUp(): boolean {
    return (
      this.#systemd !== 0 &&
      /^(running|degraded)$/m.test(this.try('systemctl is-system-running').output)
    );
  }

  /** Runs a shell script to its end. */
  try(script: string, input = ''): { readonly code: number | null; readonly output: string } {
    const { status, stdout, stderr } = spawnSync(
      'nsenter',
      [
        ...[
          '--target',
          String(this.#systemd),
          '--mount',
          '--uts',
          '--ipc',
          '--net',
          '--pid',
          '--cgroup',
        ],
        ...['/bin/sh', '-ec', script],
      ],
      {
        input,
        encoding: 'utf8',
        timeout: PATIENCE,
        env: {
          PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
          LC_ALL: 'C',
          DEBIAN_FRONTEND: 'noninteractive',
        },
      },
    );
    return { code: status, output: stdout + stderr };
  }

  /** Likewise, but it has to work. @returns what it printed */
  do(script: string, input = ''): string {
    const { code, output } = this.try(script, input);
    assert.equal(code, 0, `${script}: ${output}`);
    return output;
  }

  async off(): Promise<void> {
    this.#container.kill('SIGTERM'); // systemd-nspawn asks PID 1 to power off
    const insist = setTimeout(() => {
      this.#container.kill('SIGKILL');
    }, 20_000);
    await this.#ended;
    clearTimeout(insist);
  }
}

async function tryOn(suite: Suite): Promise<void> {
  const archive = archiveOf(suite);
  const lab = new Lab(`deb-${suite.name}`);
  const root = join(lab.dir, 'root');
  mkdirSync(root);
  execFileSync('tar', ['-xf', archive, '-C', root]);
  for (const name of suite.packages) copyFileSync(debOf(name), join(root, 'root', `${name}.deb`));
  const machine = new Machine(`pptp-deb-${suite.name}-${process.pid}`, root);
  try {
    await machine.booted();
    const debs = suite.packages.map((name) => `/root/${name}.deb`).join(' ');
    machine.do(`apt-get install --yes --quiet ${debs}`);
    assert.match(machine.try('systemctl is-enabled pptp-gateway').output, /^disabled$/m);
    machine.do(
      'pptp-gateway init --user anna --password-file - --masquerade yes --dns none',
      PASSWORD,
    );
    assert.equal(machine.do('systemd-analyze verify --man=no pptp-gateway.service'), '');
    machine.do('systemctl enable --now pptp-gateway');
    const road = await called(lab, machine);
    machine.do('tr "\\0" "\\n" </proc/$(systemctl show --value --property MainPID pptp-gateway)/environ | grep -Fx STATE_DIRECTORY=/var/lib/pptp-gateway'); // prettier-ignore
    reloaded(machine);
    const before = machine.do('systemctl show --property MainPID pptp-gateway');
    machine.do(
      `apt-get install --yes --quiet --reinstall ${debs} && systemctl is-active pptp-gateway`,
    );
    // The same process has become the new program, and its session goes on.
    assert.equal(machine.do('systemctl show --property MainPID pptp-gateway'), before);
    assert.match(machine.do('journalctl -t pptp'), /upgrade from .*: 1 sessions go on/);
    assert.match(machine.do('pptp-gateway sessions'), / anna .* mppe-128 /);
    machine.do('systemctl stop pptp-gateway');
    assert.equal(machine.do('nft list tables'), '');
    assert.doesNotMatch(machine.do('ip link'), /pptp/);
    await road.process.stop();
    machine.do('systemctl start pptp-gateway');
    machine.do('apt-get purge --yes --quiet pptp-gateway');
    assert.match(machine.try('systemctl is-active pptp-gateway').output, /inactive|failed/);
    const left = "find / -xdev -path /proc -prune -o -path '*pptp-gateway*' -print";
    assert.doesNotMatch(machine.do(left), /^(?!\/root\/|.*pptp-gateway-node)./m);
    process.stdout.write(
      `${suite.name}: installed, started, called, reloaded, upgraded, stopped, purged\n`,
    );
  } finally {
    await machine.off();
    await lab.close();
  }
}

function debOf(name: string): string {
  const file = readdirSync(built).find((file) => file.startsWith(`${name}_`) && file.endsWith('_amd64.deb')); // prettier-ignore
  assert.ok(file !== undefined, `dist/deb has no ${name} for amd64: make deb`);
  return join(built, file);
}

/** A link from outside, through which the server answers. */
async function called(lab: Lab, machine: Machine) {
  const road = lab.namespace('road');
  execFileSync('sh', [
    '-ec',
    `ip link add wan netns ${road} type veth peer name wan netns ${machine.systemd}
    ip -n ${road} address add 198.51.100.2/30 dev wan
    ip -n ${road} link set wan up`,
  ]);
  machine.do('ip address add 198.51.100.1/30 dev wan && ip link set wan up');
  const caller = await lab.gateway('caller', road, {
    network: `config interface 'home'
	option proto 'pptpgw'
	option server '198.51.100.1'
	option username 'anna'
	option password '${PASSWORD}'
	option defaultroute '0'
	option auto '0'
`,
  });
  const { code, output } = await caller.command('dial', 'home');
  assert.equal(code, 0, output);
  const ping = await lab.run(road, 'ping', '-c', '3', '-i', '0.2', '192.168.99.1');
  assert.match(ping.output, / 3 received/);
  return caller;
}

/** What is wrong is told with its severity, and the session stays through all of it. */
function reloaded(machine: Machine): void {
  const network = '/etc/pptp-gateway/network';
  machine.do('systemctl reload pptp-gateway');
  machine.do(`cp -p ${network} /root/network && printf '\\toption mtu x\\n' >>${network}`);
  assert.notEqual(machine.try('systemctl reload pptp-gateway').code, 0);
  assert.match(machine.do('journalctl -t pptp -p err'), /option 'mtu', value 'x'/);
  machine.do(`cp -p /root/network ${network} && systemctl reload pptp-gateway`);
  assert.match(machine.do('pptp-gateway sessions'), / anna .* mppe-128 /);
}

for (const suite of suites) await tryOn(suite);
