/**
 * The system calls that the service has on OpenWrt: everything works with them alone. procd makes the filter from the list
 * (ujail -S); here a small program does.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { SessionDocument } from '../../src/daemon/reports/documents.ts';
import { Lab } from '../../tools/lab.ts';
import { root } from '../daemon/cli/program.ts';

interface List {
  readonly defaultAction: string;
  readonly syscalls: readonly { readonly names: readonly string[]; readonly action: string }[];
}

const list = JSON.parse(
  readFileSync(join(root, 'openwrt/pptp-gateway/files/etc/seccomp/pptp-gateway.json'), 'utf8'),
) as List;
const allowed = list.syscalls.flatMap(({ names }) => names);
const password = 'correct horse battery';
const lab = new Lab('seccomp');

after(() => lab.close());

/** Its first argument is the program that it starts under the filter. */
function launcher(): string {
  const source = join(lab.dir, 'launcher.c');
  const path = join(lab.dir, 'launcher');
  const cases = allowed.map(
    (name) => `#ifdef __NR_${name}
BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_${name}, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
#endif`,
  );
  writeFileSync(
    source,
    `#include <asm/unistd.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <unistd.h>
static struct sock_filter filter[] = {
BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
${cases.join('\n')}
BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM) };
int main(int count, char **words) {
  struct sock_fprog program = { sizeof filter / sizeof *filter, filter };
  if (count < 2 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) return 126;
  execv(words[1], words + 1);
  return 127;
}
`,
  );
  execFileSync('cc', ['-o', path, source]);
  return path;
}

test('the list names no call that changes the machine, and is sorted, so that ujail can make a filter of each part', () => {
  assert.equal(list.defaultAction, 'SCMP_ACT_ERRNO'); // a hook gets an error, and is not killed
  assert.deepEqual(allowed, [...new Set(allowed)], 'each once');
  for (const { names, action } of list.syscalls) {
    assert.equal(action, 'SCMP_ACT_ALLOW');
    assert.deepEqual(names, names.toSorted());
    // A jump of BPF reaches 255 instructions; and a part of which a CPU knows no name would let everything pass.
    assert.ok(names.length < 250);
    assert.ok(['close', 'read', 'setgid'].some((name) => names.includes(name)));
  }
  for (const name of [
    ...[
      'mount',
      'umount2',
      'move_mount',
      'open_tree',
      'fsopen',
      'pivot_root',
      'chroot',
      'setns',
      'unshare',
    ],
    ...[
      'ptrace',
      'process_vm_readv',
      'process_vm_writev',
      'perf_event_open',
      'userfaultfd',
      'mknod',
      'mknodat',
    ],
    ...[
      'init_module',
      'finit_module',
      'delete_module',
      'kexec_load',
      'kexec_file_load',
      'reboot',
      'swapon',
      'swapoff',
    ],
    ...[
      'io_uring_setup',
      'io_uring_enter',
      'io_uring_register',
      'keyctl',
      'add_key',
      'request_key',
      'acct',
      'quotactl',
    ],
    ...[
      'settimeofday',
      'clock_settime',
      'adjtimex',
      'sethostname',
      'open_by_handle_at',
      'syslog',
      'personality',
    ],
  ])
    assert.ok(!allowed.includes(name), name);
});

test('server, link, ip, nft and hooks work with these calls alone', async () => {
  const serverSide = lab.namespace('server');
  const linkSide = lab.namespace('link');
  lab.join('outer', [
    [serverSide, '198.18.1.1/30'],
    [linkSide, '198.18.1.2/30'],
  ]);
  lab.launcher = [launcher()];
  const server = await lab.gateway('server', serverSide, {
    network: `config interface 'home'
	option proto 'pptpserver'
	option localip '192.168.99.1'
	option network '192.168.99.0/24'
`,
    pptp_users: `config user
	option username 'anna'
	option password '${password}'
	list route '10.9.0.0/16'
`,
    pptp: `config relay 'branch'
	list src 'lo'
	list dest 'outer'
`,
  });
  const link = await lab.gateway(
    'link',
    linkSide,
    {
      network: `config interface 'office'
	option proto 'pptpgw'
	option server '198.18.1.1'
	option username 'anna'
	option password '${password}'
	option defaultroute '0'
	option connect 'ip -br link show dev $DEVICE; nft list ruleset && echo tables; unshare -m true || echo refused; echo done'
`,
    },
    '--dial',
  );
  await link.process.line(/link office: up/);
  for (const said of [
    /hook office: connect: pptp-office/,
    /connect: tables/,
    /connect: refused/,
    /connect: done/,
  ])
    await link.process.line(said);
  const ping = await lab.run(linkSide, 'ping', '-c', '3', '-i', '0.2', '-W', '10', '192.168.99.1');
  assert.match(ping.output, /3 received/);
  const [session] = await server.json<SessionDocument[]>('sessions');
  assert.equal(session!.username, 'anna');
  assert.equal((await server.command('reload')).code, 0);
  assert.equal(
    (await server.command('capture', join(lab.dir, 'x.pcap'), '--seconds', '1')).code,
    0,
  );
  for (const { process } of [server, link]) assert.doesNotMatch(process.output, /pptp error/);
  server.process.signal('SIGTERM');
  assert.equal((await server.process.ended).code, 0);
});
