import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import {
  defaultHooks,
  Hooks,
  type HookOptions,
  type HookPorts,
} from '../../../src/daemon/reports/hooks.ts';
import { OwedHooks } from '../../../src/daemon/reports/owed-hooks.ts';
import type { Ban, LinkState, SessionEvent } from '../../../src/session/ports.ts';
import { cause, type CauseCode } from '../../../src/wire/cause.ts';
import { parseAddress } from '../../../src/wire/ip.ts';
import { takeDescriptors } from '../../support/descriptors.ts';
import { folder } from '../cli/program.ts';
import { quotaUsedUp, session } from '../status.ts';

const folders = [
  'session-up',
  'session-down',
  'link-up',
  'link-down',
  'auth-failed',
  'ban',
  'unban',
  'quota',
];

class Bench {
  readonly dir: string;
  readonly lines: string[] = [];
  readonly counted: string[] = [];
  hooks: Hooks;
  own: { up?: string; down?: string } = {};
  private waiting: (() => void)[] = [];

  constructor(context: TestContext, options: Partial<HookOptions> = {}) {
    this.dir = folder(context);
    for (const name of folders) mkdirSync(join(this.dir, `${name}.d`));
    this.hooks = this.daemon(options);
  }

  /** One that is started here; what it has not done before it is killed, the next one finds. */
  daemon(options: Partial<HookOptions> = {}): Hooks {
    const ports: HookPorts = {
      log: (level, text) => {
        this.lines.push(`${level} ${text.replaceAll(this.dir, '')}`);
        for (const check of this.waiting) check();
      },
      count: (counter) => this.counted.push(counter),
      about: () => ({ device: 'pptps-home', ...this.own }),
    };
    const owed = new OwedHooks(join(this.dir, 'owed'), (text) => ports.log('warning', text));
    return new Hooks(ports, owed, { ...defaultHooks, dir: this.dir, ...options });
  }

  /** An executable in one of the folders. */
  hook(name: string, script: string, mode = 0o755): void {
    const file = join(this.dir, name);
    writeFileSync(file, `#!/bin/sh\n${script}\n`);
    chmodSync(file, mode);
  }

  says(pattern: RegExp): Promise<void> {
    return new Promise((resolve) => {
      const check = () => {
        if (this.lines.some((line) => pattern.test(line))) resolve();
      };
      this.waiting.push(check);
      check();
    });
  }
}

const up: SessionEvent = { what: 'session-up', session };
const down: SessionEvent = { what: 'session-down', session, cause: cause('PEER_DEAD') };
const link = { ...session, kind: 'link', name: 'office' } as const;

test('hooks are told who and what, and no secret', async (t) => {
  const bench = new Bench(t);
  const out = join(bench.dir, 'out');
  bench.hook('session-up.d/10-first', `env | sort > ${out}.up; pwd; echo done`);
  bench.hook('session-down.d/10-first', `env | sort > ${out}.down; echo gone`);
  process.env['PPTP_TEST_SECRET'] = 'geheim';
  t.after(() => delete process.env['PPTP_TEST_SECRET']);
  bench.hooks.note(up);
  bench.hooks.note(down);
  await bench.says(/gone/);
  const env = (file: string) =>
    Object.fromEntries(
      readFileSync(`${out}.${file}`, 'utf8')
        .trim()
        .split('\n')
        .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)])
        .filter(([name]) => !['PWD', 'OLDPWD', 'SHLVL', '_'].includes(name!)),
    ) as unknown;
  const both = {
    PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
    SERVER: 'home',
    SESSION: '7',
    USERNAME: 'anna',
    PEER: '203.0.113.9',
    DEVICE: 'pptps-home',
    LOCAL_ADDRESS: '192.168.99.1',
    ADDRESS: '192.168.99.10',
    ROUTES: '10.1.0.0/16 10.2.0.0/16',
    AUTH: 'mschap-v2',
    MPPE: 'mppe-128',
    MTU: '1400',
  };
  assert.deepEqual(env('up'), { ...both, EVENT: 'session-up', ACTION: 'up' });
  assert.deepEqual(env('down'), {
    ...both,
    EVENT: 'session-down',
    ACTION: 'down',
    CAUSE: 'PEER_DEAD',
    BYTES_RECEIVED: '1',
    BYTES_SENT: '2',
  });
  assert.deepEqual(bench.lines, [
    'info hook /session-up.d/10-first: /',
    'info hook /session-up.d/10-first: done',
    'info hook /session-down.d/10-first: gone',
  ]);
  assert.deepEqual(bench.counted, []);
});

test('in order of their names, one after the other for each session, down after up', async (t) => {
  const bench = new Bench(t);
  bench.hook('session-up.d/20-b', 'echo b');
  bench.hook('session-up.d/10-a', 'sleep 0.2; echo a');
  bench.hook('session-down.d/z', 'echo z');
  bench.hooks.note(up);
  bench.hooks.note(down);
  await bench.says(/z$/);
  assert.deepEqual(
    bench.lines.map((line) => line.at(-1)),
    ['a', 'b', 'z'],
  );
});

test('a link has commands of its own', async (t) => {
  const bench = new Bench(t);
  bench.own = { up: 'echo "$LINK $ACTION ${SERVER-none}"', down: 'echo "$LINK $CAUSE"' };
  bench.hooks.note({ what: 'session-up', session: link });
  bench.hooks.note({ what: 'session-down', session: link, cause: cause('HANGUP') });
  await bench.says(/HANGUP/);
  assert.deepEqual(bench.lines, [
    'info hook office: connect: office up none',
    'info hook office: disconnect: office HANGUP',
  ]);
});

test('a name from a peer is no command', async (t) => {
  const bench = new Bench(t);
  bench.own = { up: 'echo "<$USERNAME>"' };
  const username = '$(id); `id` "\n\0 x';
  bench.hooks.note({ what: 'session-up', session: { ...link, username } });
  await bench.says(/x>/);
  assert.deepEqual(bench.lines, [
    'info hook office: connect: <$(id); `id` "',
    'info hook office: connect: ? x>',
  ]);
});

test('one that fails, is killed or cannot be started is logged and counted; the others run', async (t) => {
  const bench = new Bench(t);
  bench.hook('session-up.d/1', 'exit 3');
  bench.hook('session-up.d/2', 'kill -9 $$');
  writeFileSync(join(bench.dir, 'session-up.d/3'), '#!/nowhere/sh\n', { mode: 0o755 });
  bench.hook('session-up.d/4', 'echo well');
  bench.hooks.note(up);
  await bench.says(/well/);
  assert.deepEqual(bench.lines, [
    'warning hook /session-up.d/1: exit code 3',
    'warning hook /session-up.d/2: ended by SIGKILL',
    'warning hook /session-up.d/3: spawn /session-up.d/3 ENOENT',
    'info hook /session-up.d/4: well',
  ]);
  assert.deepEqual(bench.counted, ['hook failed', 'hook failed', 'hook failed']);
});

test('one that does not end is killed, with its children', async (t) => {
  const bench = new Bench(t, { limit: 300 });
  const pid = join(bench.dir, 'pid');
  bench.hook('session-up.d/1', `sleep 1000 & echo $! > ${pid}; wait`);
  bench.hook('session-up.d/2', 'echo next');
  bench.hooks.note(up);
  await bench.says(/next/);
  assert.deepEqual(bench.lines, [
    'warning hook /session-up.d/1: killed, it ran longer than 0.3 s',
    'info hook /session-up.d/2: next',
  ]);
  const child = readFileSync(pid, 'utf8').trim();
  const state = () => {
    try {
      return / (\w) /.exec(readFileSync(`/proc/${child}/stat`, 'utf8'))?.[1];
    } catch {
      return undefined;
    }
  };
  while (state() !== undefined && state() !== 'Z')
    await new Promise((resolve) => setImmediate(resolve));
});

test('a few at a time; when too many wait the rest is not run, and that is said', async (t) => {
  const bench = new Bench(t, { running: 2, waiting: 3 });
  const gate = join(bench.dir, 'gate');
  bench.own = {
    up: `echo "start $SESSION"; while [ ! -e ${gate} ]; do sleep 0.02; done; echo "end $SESSION"`,
  };
  for (let id = 1; id <= 7; id++)
    bench.hooks.note({ what: 'session-up', session: { ...link, id } });
  await bench.says(/start 2/);
  assert.deepEqual(
    bench.lines.filter((line) => line.startsWith('warning')),
    [
      'warning hooks of session 6: not run, too many are waiting',
      'warning hooks of session 7: not run, too many are waiting',
    ],
  );
  assert.equal(
    bench.lines.some((line) => line.includes('start 3')),
    false,
  );
  writeFileSync(gate, '');
  await bench.says(/end 5/);
});

test('without descriptors they wait for one', async (t) => {
  const bench = new Bench(t);
  bench.own = { up: 'echo own' };
  bench.hook('session-up.d/1', 'echo file');
  const giveBack = takeDescriptors(t);
  bench.hooks.note({ what: 'session-up', session: link });
  setTimeout(giveBack, 200);
  await bench.says(/file/);
  assert.deepEqual(bench.lines, [
    'info hook office: connect: own',
    'info hook /session-up.d/1: file',
  ]);
});

test('much output is cut', async (t) => {
  const bench = new Bench(t);
  bench.own = {
    up: "i=0; while [ $i -lt 200 ]; do echo line $i; i=$((i+1)); done; head -c 100000 /dev/zero | tr '\\0' x",
  };
  bench.hook('session-up.d/9', 'echo last');
  bench.hooks.note({ what: 'session-up', session: link });
  await bench.says(/last/);
  assert.equal(bench.lines.length, 51);
  assert.match(bench.lines[49]!, /more lines are left out/);
});

test('what is not executable, a backup, hidden or a folder is passed over; what others can write is refused', async (t) => {
  const bench = new Bench(t);
  bench.hook('session-up.d/1', 'echo no', 0o644);
  bench.hook('session-up.d/.2', 'echo no');
  bench.hook('session-up.d/3~', 'echo no');
  bench.hook('session-up.d/4.apk-new', 'echo no');
  mkdirSync(join(bench.dir, 'session-up.d/5'));
  bench.hook('session-up.d/6', 'echo no', 0o777);
  symlinkSync('/nowhere', join(bench.dir, 'session-up.d/7'));
  bench.hook('session-up.d/8', 'echo yes');
  bench.hooks.note(up);
  await bench.says(/yes/);
  assert.deepEqual(bench.lines, [
    'warning hook /session-up.d/6: not run, others than root can write it',
    `warning hook /session-up.d/7: ENOENT: no such file or directory, stat '/session-up.d/7'`,
    'info hook /session-up.d/8: yes',
  ]);
});

test('no folders, and other events, are nothing', (t) => {
  const bench = new Bench(t, { dir: '/nowhere' });
  bench.hooks.note(up);
  bench.hooks.note({ what: 'step', link: 'office', step: 'tcp', detail: '' });
  assert.deepEqual(bench.lines, []);
});

const ban: Ban = {
  address: parseAddress('203.0.113.7')!,
  server: 'home',
  since: 1_000,
  until: 601_000,
  tries: 5,
  username: 'eve\0"',
};
const failed = (username: string): SessionEvent => ({
  what: 'auth-failed',
  server: 'home',
  peer: ban.address,
  username,
  cause: cause('PEER_AUTH_FAILED', 'a detail'),
});
const linked = (state: LinkState, code?: CauseCode, retryIn?: number): SessionEvent => ({
  what: 'link-state',
  link: 'office',
  state,
  ...(code === undefined ? {} : { cause: cause(code) }),
  ...(retryIn === undefined ? {} : { retryIn }),
});

/** A hook in every folder that writes down what it is told. */
function tellAll(bench: Bench): void {
  const words =
    'EVENT ACTION SERVER LINK USERNAME PEER STATE CAUSE RETRY_IN TRIES SECONDS WHY OMITTED';
  const show = words.split(' ').map((name) => `\${${name}:+ ${name}=$${name}}`);
  for (const name of folders) bench.hook(`${name}.d/1`, `echo "told${show.join('')}"`);
}
const told = ({ lines }: Bench) => lines.flatMap((line) => / told (.*)/.exec(line)?.[1] ?? []);

test('failed logins, bans and their end have hooks', async (t) => {
  const bench = new Bench(t);
  tellAll(bench);
  bench.hooks.note(failed('eve\0"'));
  bench.hooks.note({ what: 'banned', ban });
  bench.hooks.note({ what: 'unbanned', ban, why: 'lifted' });
  await bench.says(/unban/);
  await bench.says(/auth-failed/);
  const who = 'SERVER=home USERNAME=eve?" PEER=203.0.113.7';
  assert.deepEqual(told(bench).sort(), [
    `EVENT=auth-failed ACTION=auth-failed ${who} CAUSE=PEER_AUTH_FAILED OMITTED=0`,
    `EVENT=ban ACTION=ban ${who} TRIES=5 SECONDS=600 OMITTED=0`,
    `EVENT=unban ACTION=unban ${who} TRIES=5 SECONDS=600 WHY=lifted OMITTED=0`,
  ]);
});

test('a link that comes and goes: each turn once, whatever is tried in between', async (t) => {
  const bench = new Bench(t);
  tellAll(bench);
  for (const event of [
    linked('down'), // it has not been up yet
    linked('connecting'),
    linked('waiting', 'CONNECT_REFUSED', 5_400),
    linked('connecting'),
    linked('waiting', 'CONNECT_REFUSED', 10_800),
    linked('blocked', 'AUTH_TOPEER_FAILED'),
    linked('connecting'),
    linked('up'),
    linked('stopping', 'IDLE_TIMEOUT'),
    linked('demand', 'IDLE_TIMEOUT'),
    linked('connecting'),
    linked('waiting', 'GRE_BLOCKED', 5_000),
    linked('up'),
    linked('stopping', 'USER_REQUEST'),
    linked('down', 'USER_REQUEST'),
    linked('down', 'USER_REQUEST'),
  ])
    bench.hooks.note(event);
  await bench.says(/STATE=down/);
  assert.deepEqual(told(bench), [
    'EVENT=link-down ACTION=down LINK=office STATE=waiting CAUSE=CONNECT_REFUSED RETRY_IN=5',
    'EVENT=link-up ACTION=up LINK=office STATE=up',
    'EVENT=link-down ACTION=down LINK=office STATE=demand CAUSE=IDLE_TIMEOUT',
    'EVENT=link-down ACTION=down LINK=office STATE=waiting CAUSE=GRE_BLOCKED RETRY_IN=5',
    'EVENT=link-up ACTION=up LINK=office STATE=up',
    'EVENT=link-down ACTION=down LINK=office STATE=down CAUSE=USER_REQUEST',
  ]);
});

test('a link that was up before an upgrade has its hooks when it goes down', async (t) => {
  const before = new Bench(t);
  tellAll(before);
  before.hooks.note(linked('up'));
  await before.says(/STATE=up/);
  const bench = new Bench(t);
  tellAll(bench);
  bench.hooks.restore(before.hooks.save());
  for (const event of [linked('stopping', 'USER_REQUEST'), linked('down', 'USER_REQUEST')])
    bench.hooks.note(event);
  await bench.says(/STATE=down/);
});

test('an attack is no fork bomb: one hook of failed logins at a time, few in all, and sessions have theirs', async (t) => {
  const bench = new Bench(t, { waiting: 30 });
  const gate = join(bench.dir, 'gate');
  const running = join(bench.dir, 'running');
  for (const name of ['auth-failed', 'ban'])
    bench.hook(
      `${name}.d/1`,
      `[ ! -e ${running}-$EVENT ] || echo "two at a time"; : >${running}-$EVENT
while [ ! -e ${gate} ]; do sleep 0.02; done; rm ${running}-$EVENT; echo "told $EVENT $OMITTED"`,
    );
  bench.hook('session-up.d/1', 'echo session');
  for (let n = 0; n < 5_000; n++) {
    bench.hooks.note(failed(`user${n}`));
    bench.hooks.note({ what: 'banned', ban });
  }
  bench.hooks.note(up);
  await bench.says(/session$/); // before any of the others has ended
  assert.deepEqual(told(bench), []);
  writeFileSync(gate, '');
  const all = (name: string) => told(bench).filter((line) => line.startsWith(name));
  while (all('auth-failed').length < 20 || all('ban').length < 31)
    await new Promise((resolve) => setTimeout(resolve, 20));
  bench.hooks.note({ what: 'banned', ban });
  await bench.says(/ban 4969/);
  assert.ok(all('auth-failed').length <= 21, 'and one a second');
  assert.equal(all('ban').length, 32);
  assert.deepEqual(
    bench.lines.filter((line) => /two at a time|warning/.test(line)),
    [],
  );
  assert.equal(bench.counted.filter((what) => what === 'hook left out: ban').length, 4_969);
  assert.ok(bench.counted.filter((what) => what === 'hook left out: auth-failed').length >= 4_970);
});

test('a quota that is used up: whose it is, and what it was', async (t) => {
  const bench = new Bench(t);
  bench.hook(
    'quota.d/10-tell',
    'env | grep -v "^_\\|PWD\\|SHLVL" | sort | tr "\\n" " "; echo; echo done',
  );
  bench.hooks.note(quotaUsedUp('user', '$(reboot)\0`'));
  await bench.says(/: done/);
  assert.deepEqual(bench.lines, [
    'info hook /quota.d/10-tell: ACTION=quota EVENT=quota PATH=/usr/sbin:/usr/bin:/sbin:/bin QUOTA=5000000 QUOTA_ACTION=slow 512 SINCE=2026-11-01 UNTIL=2026-11-30 USED=5000001 USERNAME=$(reboot)?` ',
    'info hook /quota.d/10-tell: done',
  ]);
});

const dead = (bench: Bench, isUp: (subject: string) => boolean = () => false) => {
  bench.hooks = bench.daemon();
  bench.hooks.recover(isUp);
};

test('a daemon that is killed owes what the next one runs: once, with the same variables and the cause', async (t) => {
  const bench = new Bench(t);
  bench.own = { down: 'echo "own $LINK $CAUSE"' };
  for (const name of ['session-down', 'link-down', 'unban'])
    bench.hook(
      `${name}.d/10`,
      'echo "$EVENT $ACTION ${SESSION}${LINK}${PEER} ${USERNAME:-} ${STATE:-} ${CAUSE:-}${WHY:-} ${BYTES_SENT:-none}"',
    );
  bench.hooks.note({ what: 'session-up', session: link });
  bench.hooks.note({ what: 'session-up', session: { ...session, id: 8 } });
  bench.hooks.note({ what: 'link-state', link: 'office', state: 'up' });
  const since = 1000;
  const ban: Ban = {
    server: 'home',
    username: 'eve',
    address: parseAddress('198.51.100.9')!,
    tries: 3,
    since,
    until: since + 60_000,
  };
  bench.hooks.note({ what: 'banned', ban });
  bench.hooks.note({
    what: 'session-down',
    session: { ...session, id: 8 },
    cause: cause('HANGUP'),
  });
  await bench.says(/session-down down 8/);
  bench.lines.length = 0;
  dead(bench);
  await bench.says(/own office/);
  await bench.says(/link-down down/);
  await bench.says(/unban unban/);
  await bench.says(/session-down down 7/);
  assert.deepEqual(
    bench.lines.map((line) => line.replace(/^info hook [^:]*(: disconnect)?: /, '')).sort(),
    [
      'own office SERVICE_DIED',
      'session-down down 7office203.0.113.9 anna  SERVICE_DIED none',
      'link-down down office  down SERVICE_DIED none',
      'unban unban 198.51.100.9 eve  restarted none',
      'warning a daemon before was killed: hooks hear now of 3 sessions, links and bans that it had',
    ].sort(),
  );
  bench.lines.length = 0;
  dead(bench);
  assert.deepEqual(bench.lines, []);
});

test('what goes on owes nothing yet, and session numbers that come again are others', async (t) => {
  const bench = new Bench(t);
  bench.hook('session-down.d/10', 'echo "$SESSION $CAUSE"');
  bench.hooks.note(up);
  dead(bench, (subject) => subject === 'session 7');
  assert.deepEqual(bench.lines, []);
  bench.hooks.note(down);
  await bench.says(/7 PEER_DEAD/);
  bench.hooks.note(up);
  bench.hooks = bench.daemon({ running: 0 }); // killed before it gets so far
  bench.hooks.recover(() => false);
  bench.hooks.note(up);
  dead(bench);
  await bench.says(/of 2 sessions/);
  const died = () => bench.lines.filter((line) => line.endsWith('7 SERVICE_DIED'));
  while (died().length < 2) await new Promise((resolve) => setTimeout(resolve, 20));
});

test('the file of what is owed may be damaged, and does not grow', (t) => {
  const bench = new Bench(t);
  const file = join(bench.dir, 'owed');
  const lines = () => readFileSync(file, 'utf8').split('\n').length;
  for (let id = 0; id < 2_000; id++) {
    bench.hooks.note({ what: 'session-up', session: { ...session, id } });
    bench.hooks.note({ what: 'session-down', session: { ...session, id }, cause: cause('HANGUP') });
    assert(lines() < 1_200, String(id));
  }
  const owed = (job: object) => `${JSON.stringify({ owes: 'session 1', job })}\n`;
  for (const text of [
    '\0\n{',
    '{"owes":1}\n',
    '[]\nnull\n7\n',
    owed({}),
    owed({ lane: 'a', env: { A: 1 }, folder: 'session-down.d' }),
    owed({ lane: 'a', env: {}, folder: '../../bin' }),
    owed({ lane: 'a', env: {}, folder: 'session-down.d', own: {} }),
  ]) {
    writeFileSync(file, text);
    bench.lines.length = 0;
    dead(bench);
    assert.deepEqual(bench.lines, [], text);
  }
});
