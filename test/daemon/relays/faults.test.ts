/**
 * One connection that passes through throws, another one's call goes on.
 *
 *     one 192.168.1.10 ---- lan1 192.168.1.1 router 203.0.113.2 wan ---- 203.0.113.1 outside
 *     two 192.168.2.10 ---- lan2 192.168.2.1
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import { after, before, test } from 'node:test';
import type { RelayDocument, StatusDocument } from '../../../src/daemon/reports/documents.ts';
import { Lab, type Program } from '../../../tools/lab.ts';
import { Victim } from '../victim.ts';

const lab = new Lab('relay-faults');
const script = resolve(import.meta.dirname, 'relay-end.ts');
const OUTSIDE = '203.0.113.1';
const TWO = '192.168.2.10';
let router: string;
let two: string;
let gateway: Victim;
/** The call that nothing happens to. */
let good: number;

function end(namespace: string, ...words: readonly string[]): Program {
  return lab.start(namespace, process.execPath, '--import', 'tsx', script, ...words);
}

const run = (...words: readonly string[]) =>
  execFileSync('ip', ['netns', 'exec', router, ...words], { encoding: 'utf8' });

async function branch(): Promise<RelayDocument> {
  return (await gateway.call<StatusDocument>('status')).relays[0]!;
}

before(async () => {
  router = lab.namespace('router');
  const one = lab.namespace('one');
  two = lab.namespace('two');
  const far = lab.namespace('far');
  lab.join('lan1', [
    [router, '192.168.1.1/24'],
    [one, '192.168.1.10/24'],
  ]);
  lab.join('lan2', [
    [router, '192.168.2.1/24'],
    [two, `${TWO}/24`],
  ]);
  lab.join('wan', [
    [router, '203.0.113.2/24'],
    [far, `${OUTSIDE}/24`],
  ]);
  await lab.run(one, 'ip', 'route', 'add', 'default', 'via', '192.168.1.1');
  await lab.run(two, 'ip', 'route', 'add', 'default', 'via', '192.168.2.1');
  run('sysctl', '-qw', 'net.ipv4.ip_forward=1');
  run(
    'nft',
    'table ip nat { chain post { type nat hook postrouting priority srcnat; oifname "wan" masquerade; }; }',
  );
  gateway = new Victim(lab, 'router', router, {
    network: '',
    pptp: `config relay 'branch'
	list src 'lan1'
	list src 'lan2'
	option dest 'wan'
	option backend 'relay'
`,
  });
  await gateway.process.line(/is running/);
  await end(far, 'server', OUTSIDE).line(/listening/);
  await end(one, 'client', OUTSIDE, 'one', '1', '1').line(/ready/);
  good = (await branch()).calls[0]!.id;
});

after(() => lab.close());

/** The good call is the only one, in the daemon and in the kernel. */
async function nothingIsLeft(): Promise<void> {
  const deadline = performance.now() + 30_000;
  for (;;) {
    const { calls, connections } = await branch();
    assert.ok(
      calls.some(({ id }) => id === good),
      'the good call goes on',
    );
    const ways = run('nft', 'list', 'table', 'ip', 'pptp_gateway_relay');
    if (calls.length === 1 && connections === 1 && !ways.includes(TWO)) return;
    assert.ok(performance.now() < deadline, `${calls.length} calls, ${connections}; ${ways}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** A connection of two's meets the fault, and its next one has its call. */
async function ends(what: string, told: RegExp | undefined): Promise<void> {
  const from = gateway.process.output.length;
  gateway.arm(what);
  const stumbling = end(two, 'client', OUTSIDE, 'two', '1', '1');
  const fault = gateway.process.line(/a fault in pptp-gateway itself: .*injected/, from);
  await Promise.race([fault, stumbling.line(/ready/)]);
  await stumbling.stop();
  await fault;
  if (told !== undefined) await gateway.process.line(told, from);
  await nothingIsLeft();
  const next = end(two, 'client', OUTSIDE, 'two', '1', '1');
  await next.line(/ready/);
  await next.stop();
  await nothingIsLeft();
}

const refused = /relay branch client 192\.168\.2\.10 server 203\.0\.113\.1: refused INTERNAL_ERROR/;
const down = /relay branch .*: down INTERNAL_ERROR/;
for (const [what, told] of [
  ['RelayRunner.accept', undefined],
  ['ConnectionRunner.tcp', undefined], // in the constructor
  ['ConnectionRunner.connect', refused],
  ['RelayedConnection.handleConnected', refused],
  ['RelayedConnection.handleOctets', refused],
  ['RelayedConnection.poll', refused],
  ['RelayedConnection.nextTimeout', refused],
  ['ConnectionRunner.open', refused],
  ['RelayedConnection.handleOpened', refused],
  ['RelayedConnection.handleClosed', down],
  ['ConnectionRunner.remove', down],
] as const)
  test(`a throw in ${what} ends that connection`, { timeout: 60_000 }, () => ends(what, told));
