/** The init script, the launcher and uci-defaults, under busybox ash with stand-ins for rc.common, procd and Node. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { root as project } from '../daemon/cli/program.ts';
import { ShellBench } from './shell-bench.ts';

const procd = [
  'open_instance',
  'close_instance',
  'set_param',
  'add_jail',
  'add_jail_mount',
  'add_jail_mount_rw',
  'add_reload_trigger',
]
  .map((name) => `procd_${name}() { echo "${name} $*" >>/tmp/calls; }`)
  .join('\n');

function service(context: TestContext): ShellBench {
  const made = new ShellBench(context);
  made.write('etc/init.d/pptp-gateway', readFileSync(join(project, 'init.d/pptp-gateway'), 'utf8'));
  made.write(
    'rc',
    `config_load() { :; }\nconfig_list_foreach() { for each in $WRITABLE; do "$3" "$each"; done; }\nconfig_foreach() { [ -z "$RECORDS" ] || "$1" nas; }\nconfig_get() { [ "$3" = records ] && eval "$1=\\$RECORDS" || eval "$1=\\\${USAGE_FOLDER:-$4}"; }\nextra_command() { echo "extra $*" >>/tmp/calls; }\n. /etc/init.d/pptp-gateway\n${procd}\n"$@"\n`,
  );
  made.write('usr/bin/pptp-gateway', '#!/bin/busybox sh\necho "program $*"\n', 0o755);
  return made;
}

const instance = [
  'open_instance ',
  'set_param command /usr/bin/pptp-gateway run',
  'set_param file /etc/config/network /etc/config/pptp /etc/config/pptp_users /etc/config/pptp_radius /etc/config/firewall',
  'set_param reload_signal HUP',
  'set_param respawn 3600 5 0',
  'set_param term_timeout 8',
  'set_param stdout 1',
  'set_param stderr 1',
];
const run = (made: ShellBench, words: string, before = '') => {
  const done = made.ash(`${before} set -- ${words}; . /rc`);
  assert.equal(done.stderr, '');
  return { stdout: done.stdout, calls: made.calls().filter((line) => !line.startsWith('extra ')) };
};

test('an instance that lives for ever, takes HUP and watches its files', (t) => {
  const made = service(t);
  assert.deepEqual(run(made, 'start_service').calls, [...instance, 'close_instance ']);
  assert.deepEqual(run(made, 'service_triggers').calls, [
    'add_reload_trigger pptp pptp_users pptp_radius network firewall',
  ]);
});

test('with ujail it starts with the two capabilities it keeps, in a jail that is read-only but for what it must write', (t) => {
  const made = service(t);
  made.write('sbin/ujail', '', 0o755);
  made.write('lib/libpreload-seccomp.so', '');
  assert.deepEqual(run(made, 'start_service').calls.slice(instance.length), [
    'add_jail pptp-gateway procfs ronly',
    'set_param capabilities /etc/capabilities/pptp-gateway.json',
    'set_param seccomp /etc/seccomp/pptp-gateway.json',
    'set_param no_new_privs 1',
    ...['/bin', '/sbin', '/lib', '/usr', '/etc', '/tmp'].map((dir) => `add_jail_mount ${dir}`),
    'add_jail_mount_rw /var/run/pptp-gateway /dev/net/tun /proc/sys/net /etc/config /etc/pptp/usage',
    'close_instance ',
  ]);
  assert.equal(made.ash('stat -c %a /var/run/pptp-gateway').stdout, '700\n');
  const sets = JSON.parse(
    readFileSync(join(made.root, 'etc/capabilities/pptp-gateway.json'), 'utf8'),
  ) as Record<string, string[]>;
  assert.deepEqual(Object.keys(sets).sort(), [
    'ambient',
    'bounding',
    'effective',
    'inheritable',
    'permitted',
  ]);
  assert.deepEqual(
    new Set(Object.values(sets).flat()),
    new Set(['CAP_NET_ADMIN', 'CAP_NET_RAW', 'CAP_BPF']),
  );
});

test('folders of the option writable are, if they are there', (t) => {
  const made = service(t);
  made.write('sbin/ujail', '', 0o755);
  made.write('srv/reports/x', '');
  const { calls } = run(made, 'start_service', 'WRITABLE="/tmp /srv/reports /nowhere";');
  assert.ok(!calls.includes('add_jail_mount /tmp'));
  assert.ok(
    calls.includes(
      'add_jail_mount_rw /var/run/pptp-gateway /dev/net/tun /proc/sys/net /etc/config /etc/pptp/usage /tmp /srv/reports',
    ),
  );
});

test('so is the folder where accounting records wait', (t) => {
  const made = service(t);
  made.write('sbin/ujail', '', 0o755);
  made.write('srv/records/x', '');
  const { calls } = run(made, 'start_service', 'RECORDS=/srv/records;');
  assert.ok(
    calls.includes(
      'add_jail_mount_rw /var/run/pptp-gateway /dev/net/tun /proc/sys/net /etc/config /etc/pptp/usage /srv/records',
    ),
  );
});

test('so is the folder of usage, which is made', (t) => {
  const made = service(t);
  made.write('sbin/ujail', '', 0o755);
  const { calls } = run(made, 'start_service', 'USAGE_FOLDER=/srv/usage;');
  assert.ok(
    calls.includes(
      'add_jail_mount_rw /var/run/pptp-gateway /dev/net/tun /proc/sys/net /etc/config /srv/usage',
    ),
  );
  assert.equal(made.ash('ls -d /srv/usage').stdout, '/srv/usage\n');
});

test('sysupgrade has usage written down before it looks for what to keep', (t) => {
  const made = new ShellBench(t);
  const script = 'openwrt/pptp-gateway/files/lib/upgrade/pptp-gateway.sh';
  made.write('lib/upgrade/pptp-gateway.sh', readFileSync(join(project, script), 'utf8'));
  made.command('ubus', 'echo "ubus $*" >>/tmp/calls; exit 4');
  // As /sbin/sysupgrade does it: its own function, the hooks of packages, then all in order.
  made.ash(`list() { echo "list $1" >>/tmp/calls; }
    sysupgrade_init_conffiles=list
    . /lib/upgrade/pptp-gateway.sh
    for each in $sysupgrade_init_conffiles; do $each /tmp/conffiles; done`);
  assert.deepEqual(made.calls(), ['ubus -t 5 call pptp usage_save', 'list /tmp/conffiles']);
});

test('it goes on while opkg replaces its files, and stops otherwise', (t) => {
  const made = service(t);
  // As rc.common does it.
  const stopped = (env: string) =>
    made.ash(`${env} set -- stop_service; . /rc; echo killed`).stdout;
  assert.equal(stopped('PKG_UPGRADE=1;'), '');
  assert.equal(stopped('PKG_UPGRADE=0;'), 'killed\n');
  assert.equal(stopped(''), 'killed\n');
});

test('status, check and sessions are the program', (t) => {
  const made = service(t);
  assert.equal(run(made, 'status_service').stdout, 'program status\n');
  assert.equal(run(made, 'check office').stdout, 'program check office\n');
  assert.equal(run(made, 'sessions').stdout, 'program sessions\n');
});

test('the launcher takes our runtime, else a Node that is new enough, else says what is missing', (t) => {
  const made = new ShellBench(t);
  const start = () => made.ash('/bin/sh /usr/bin/pptp-gateway status --json');
  assert.deepEqual(start(), {
    code: 127,
    stdout: '',
    stderr:
      'pptp-gateway: there is no Node.js of version 20 or newer: install the package pptp-gateway-node\n',
  });
  const node = (version: string, name: string) =>
    `[ "$1" = --version ] && echo ${version} || echo "${name} $* $UV_USE_IO_URING"`;
  for (const old of ['v18.20.4', 'v9.1.0', 'v0.12.0']) {
    made.command('node', node(old, 'old'));
    assert.equal(start().code, 127, old);
  }
  made.command('node', node('v22.1.0', 'installed'));
  assert.equal(
    start().stdout,
    'installed --max-semi-space-size=1 --heap-growing-percent=25 --v8-pool-size=1 /usr/lib/pptp-gateway/pptp-gateway.js status --json 0\n',
  );
  made.write(
    'usr/lib/pptp-gateway-node/node',
    `#!/bin/busybox sh\n${node('v20.1.0', 'ours')}\n`,
    0o755,
  );
  assert.equal(
    start().stdout,
    'ours --max-semi-space-size=1 --heap-growing-percent=25 --v8-pool-size=1 /usr/lib/pptp-gateway/pptp-gateway.js status --json 0\n',
  );
});

test('the launcher gives the program nothing of its own environment but the time zone', (t) => {
  const made = new ShellBench(t);
  made.command('node', '[ "$1" = --version ] && echo v22.1.0 || env');
  const { stdout } = made.ash(
    'NODE_OPTIONS=--inspect HOME=/root TZ=CET-1CEST /bin/sh /usr/bin/pptp-gateway status',
  );
  const own = ['SHLVL', 'PWD', '_']; // the shell's
  const names = stdout
    .split('\n')
    .filter((line) => line !== '' && !own.includes(line.split('=')[0]!));
  assert.deepEqual(names.sort(), [
    'MALLOC_TRIM_THRESHOLD_=131072',
    'PATH=/usr/sbin:/usr/bin:/sbin:/bin',
    'PPTP_GATEWAY_LAUNCHER=/usr/bin/pptp-gateway',
    'TZ=CET-1CEST',
    'UV_USE_IO_URING=0',
  ]);
});

test(
  'as the first process of a jail the launcher passes signals on, and sees to the end of what hooks leave behind',
  {
    timeout: 60_000,
  },
  async (t) => {
    const made = new ShellBench(t);
    // Like Node, a program that does not wait for children that it does not know.
    made.command(
      'node',
      '[ "$1" = --version ] && echo v22.1.0 && exit\n(sleep 0 & sleep 0 & sleep 0 &)\necho started\nexec /bin/busybox sleep 1000',
    );
    const words = ['--pid', '--fork', '--kill-child', '/usr/sbin/chroot', made.root];
    const outside = spawn('unshare', [...words, '/bin/sh', '/usr/bin/pptp-gateway', 'run']);
    t.after(() => outside.kill('SIGKILL'));
    await once(outside.stdout, 'data');
    const children = (pid: number) =>
      readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim().split(' ').map(Number);
    const [first] = children(outside.pid!);
    while (children(first!).length > 1) await new Promise((resolve) => setTimeout(resolve, 50));
    process.kill(first!, 'SIGTERM');
    assert.deepEqual(await once(outside, 'close'), [143, null]);
  },
);

test('uci-defaults: folders for hooks, pptpd imported and the log told; kept while there is no runtime', (t) => {
  const made = new ShellBench(t);
  made.recorded('logger', 'cat >>/tmp/calls');
  // As OpenWrt's functions.sh does it.
  const apply = () =>
    made.ash('cd /etc/uci-defaults; ( . ./90_pptp-gateway ) && echo removed').stdout;
  const program = (script: string) =>
    made.write('usr/bin/pptp-gateway', `#!/bin/busybox sh\necho "did $*"\n${script}\n`, 0o755);
  for (const file of ['network', 'pptp_radius', 'pptp_users'])
    made.write(`etc/config/${file}`, '', 0o644);
  program('');
  assert.equal(apply(), 'removed\n');
  assert.equal(
    made.ash('stat -c %a /etc/config/network /etc/config/pptp_radius /etc/config/pptp_users')
      .stdout,
    '644\n600\n600\n', // the first is another package's
  );
  assert.deepEqual(made.calls(), []);
  assert.equal(
    made.ash('ls /etc/pptp').stdout,
    'auth-failed.d\nban.d\nlink-down.d\nlink-up.d\nquota.d\nsession-down.d\nsession-up.d\nunban.d\n',
  );
  made.write('etc/config/pptpd', '');
  for (const code of [0, 1]) {
    program(`exit ${code}`);
    assert.equal(apply(), 'removed\n');
    assert.deepEqual(made.calls(), ['logger -t pptp', 'did import pptpd']);
  }
  program('exit 127');
  assert.equal(apply(), '');
});

/** `uci` as far as uci-defaults needs it: /tmp/uci has the lines of `uci show`. */
const uci = `[ "$1" = -q ] && shift
case $1 in
show) exec /bin/busybox cat /tmp/uci ;;
get) /bin/busybox grep -q "^$2=" /tmp/uci ;;
rename)
	from=\${2%%=*} to=\${2#*=}
	/bin/busybox grep -q "^$from=" /tmp/uci || exit 1
	/bin/busybox sed -i "s/^$from=/\${from%.*}.$to=/" /tmp/uci
	;;
commit) echo "uci $*" >>/tmp/calls ;;
esac`;

test('uci-defaults: what netifd would take for its own gets the name of today, once', (t) => {
  const made = new ShellBench(t);
  made.command('uci', uci);
  made.recorded('ubus');
  const lines = [
    'network.lan=interface',
    "network.lan.proto='static'",
    "network.lan.dns='192.0.2.1'",
    'network.home=interface',
    "network.home.proto='pptpserver'",
    "network.home.dns='192.168.99.1' '192.168.99.2'",
    "network.home.wins='192.168.99.3'",
    'network.cafe=interface',
    "network.cafe.proto='pptpserver'",
    "network.cafe.dns='192.0.2.53'",
    "network.cafe.client_dns='192.168.98.1'",
    'network.office=interface',
    "network.office.proto='pptpgw'",
    "network.office.dns='192.0.2.54'",
  ];
  made.write('tmp/uci', `${lines.join('\n')}\n`);
  const apply = () => made.ash('cd /etc/uci-defaults; ( . ./90_pptp-gateway ) && echo removed');
  assert.deepEqual(apply(), { code: 0, stdout: 'removed\n', stderr: '' });
  assert.deepEqual(made.calls(), ['uci commit network', 'ubus -t 5 call network reload']);
  const renamed = lines.map((line) =>
    line.replace(/^(network\.home)\.(dns|wins)=/, '$1.client_$2='),
  );
  const now = () => readFileSync(join(made.root, 'tmp/uci'), 'utf8').trimEnd().split('\n');
  assert.deepEqual(now(), renamed);
  assert.deepEqual(apply(), { code: 0, stdout: 'removed\n', stderr: '' });
  assert.deepEqual([now(), made.calls()], [renamed, []]);
});
