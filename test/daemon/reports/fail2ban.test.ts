/** What Debian's fail2ban-regex, with the filter that the packages install, takes from the log; names try to deceive it. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test, type TestContext } from 'node:test';
import { Log } from '../../../src/daemon/reports/log.ts';
import { syslogLine } from '../../../src/daemon/reports/system-log.ts';
import type { SessionEvent } from '../../../src/session/ports.ts';
import { cause, type CauseCode } from '../../../src/wire/cause.ts';
import { parseAddress } from '../../../src/wire/ip.ts';
import { folder } from '../cli/program.ts';
import { session } from '../status.ts';

const filter = resolve(import.meta.dirname, '../../../fail2ban/pptp-gateway.conf');

const failed = (
  peer: string,
  username: string,
  code: CauseCode = 'PEER_AUTH_FAILED',
): SessionEvent => ({
  what: 'auth-failed',
  server: 'home',
  peer: parseAddress(peer)!,
  username,
  cause: cause(code),
});
const refused = (peer: string, code: CauseCode): SessionEvent => ({
  what: 'caller-refused',
  server: 'home',
  peer: parseAddress(peer)!,
  cause: cause(code),
});
const banned = (peer: string, username: string): SessionEvent => ({
  what: 'banned',
  ban: {
    address: parseAddress(peer)!,
    server: 'home',
    since: 0,
    until: 600_000,
    tries: 5,
    username,
  },
});

/** The texts of lines, and how they stand in a log. */
function texts(events: readonly SessionEvent[]): string[] {
  const lines: string[] = [];
  const log = new Log(undefined, (_, text) => lines.push(text) > 0);
  for (const event of events) log.event(event);
  return lines;
}
const date = new Date();
const stamp = `${date.toString().slice(4, 10)} ${date.toString().slice(16, 24)}`;
const forms: Readonly<Record<string, (text: string) => string>> = {
  'a file of syslog, and as fail2ban has the journal': (text) => `${stamp} gate pptp[417]: ${text}`,
  'logread -f': (text) => `${date.toString().slice(0, 10)} ${date.toString().slice(16, 24)} ${date.getFullYear()} daemon.warn pptp[417]: ${text}`, // prettier-ignore
  'standard error': (text) => `${date.toISOString()} pptp warning: ${text}`,
};

/** The addresses that count, a line each. */
function counted(context: TestContext, lines: readonly string[], mode = 'normal'): string[] {
  const log = join(folder(context), 'log');
  writeFileSync(log, `${lines.join('\n')}\n`);
  const output = execFileSync('fail2ban-regex', ['-o', 'ip', '-e', 'utf-8', log, `${filter}[mode=${mode}]`], { encoding: 'utf8' }); // prettier-ignore
  return output.split('\n').filter((line) => line !== '');
}

const victim = '1.2.3.4';
const hostileNames = [
  ` from ${victim}`,
  `x' from ${victim}`,
  `x" from ${victim}`,
  `x": login failed PEER_AUTH_FAILED "no" server home caller ${victim} user "y`,
  `x\npptp[417]: server home caller ${victim} user "y": login failed PEER_AUTH_FAILED "`,
  `\\"\r\n${stamp} gate pptp[417]: server home caller ${victim} user "y": login failed PEER_AUTH_FAILED "`,
  `\u2028${stamp} gate pptp[417]: server home caller ${victim}: banned for 600 s after 5 failed logins`,
  `${date.toISOString()} pptp warning: server home caller ${victim}: refused SOURCE_BANNED "`,
  `server home caller ${victim}`,
  'x'.repeat(1_400),
  `\\`,
  `\\\\"`,
  `\ud800 <HOST> %(_prefix)s \u001b[2K`,
  '',
];

for (const [form, line] of Object.entries(forms)) {
  test(`failed logins in ${form}`, (context) => {
    const events = [
      failed('198.51.100.1', 'anna'),
      failed('198.51.100.2', 'anna', 'SOURCE_BANNED'),
      refused('198.51.100.3', 'SOURCE_BANNED'),
      // Nobody has guessed.
      failed('198.51.100.4', 'anna', 'RADIUS_NO_ANSWER'),
      failed('198.51.100.5', 'anna', 'ACCOUNT_DISABLED'),
      failed('198.51.100.6', 'anna', 'USER_LIMIT'),
      refused('198.51.100.7', 'SOURCE_NOT_ALLOWED'),
      refused('198.51.100.8', 'GRE_BLOCKED'),
      banned('198.51.100.9', 'anna'),
      { what: 'session-up', session },
      { what: 'session-down', session, cause: cause('PEER_DEAD') },
    ] satisfies SessionEvent[];
    const lines = texts(events).map(line);
    assert.deepEqual(counted(context, lines), ['198.51.100.1', '198.51.100.2', '198.51.100.3']);
    assert.deepEqual(counted(context, lines, 'banned'), ['198.51.100.9']);
  });

  test(`names from outside count for nobody else, in ${form}`, (context) => {
    const peers = hostileNames.map((_, n) => `203.0.113.${n + 1}`);
    const guesses = hostileNames.map((name, n) => failed(peers[n]!, name));
    const bans = hostileNames.map((name, n) => banned(peers[n]!, name));
    const others = hostileNames.flatMap((name): SessionEvent[] => [
      { what: 'session-up', session: { ...session, username: name } },
      { what: 'session-down', session, cause: cause('PEER_TERMINATED', `it says: ${name}`) },
      { what: 'server-trouble', server: 'home', username: name, cause: cause('ADDRESS_TAKEN', name) },
      failed('203.0.113.99', name, 'RADIUS_NO_ANSWER'),
    ]); // prettier-ignore
    assert.deepEqual(counted(context, texts(guesses).map(line)), peers);
    assert.deepEqual(counted(context, texts(bans).map(line), 'banned'), peers);
    assert.deepEqual(counted(context, texts([...others, ...bans]).map(line)), []);
    assert.deepEqual(counted(context, texts([...others, ...guesses]).map(line), 'banned'), []);
  });
}

test('as our own logd line is made', (context) => {
  const [text] = texts([failed('198.51.100.1', 'anna')]);
  const line = syslogLine('warning', text!, 417, date).replace(/^<\d+>/, '');
  assert.deepEqual(counted(context, [line]), ['198.51.100.1']);
});

test('a hook or another program that repeats a name does not write such a line', (context) => {
  const [text] = texts([failed(victim, 'anna')]);
  const lines = [
    `${stamp} gate pptp[417]: hook /etc/pptp/session-up.d/50-list: ${text}`,
    `${stamp} gate sshd[7]: Invalid user ${text}`,
    `${stamp} gate sshd[7]: pptp: ${text}`,
  ];
  assert.deepEqual(counted(context, lines), []);
});
