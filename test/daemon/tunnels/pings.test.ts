import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pings } from '../../../src/daemon/tunnels/pings.ts';
import type { Children, Ran } from '../../../src/platform/children.ts';
import { parseAddress } from '../../../src/wire/ip.ts';

const there = parseAddress('10.77.0.1')!;
const ran = (stdout: string, code?: unknown): Ran => ({
  error: code === undefined ? undefined : Object.assign(new Error('ping failed'), { code }),
  stdout,
  stderr: '',
});
const answering = (found: Ran) => new Pings(() => Promise.resolve(found));

test('one address, through the device of the link, in words that busybox knows as well as iputils', async () => {
  let started: Parameters<Children['run']> | undefined;
  const pings = new Pings((...command) => {
    started = command;
    return Promise.resolve(ran(''));
  });
  await pings.ping('pptp-office', there);
  const [program, args, { timeout }] = started!;
  const words = ['-c', '3', '-W', '2', '-I', 'pptp-office', '10.77.0.1'];
  assert.deepEqual([program, args], ['ping', words]);
  assert.ok(timeout > 3 * 2_000);
});

test('who answers, and after what time', async () => {
  for (const statistics of [
    'round-trip min/avg/max = 1.113/4.293/7.474 ms\n',
    'rtt min/avg/max/mdev = 1.113/4.293/7.474/0.412 ms\n',
  ])
    assert.deepEqual(await answering(ran(statistics)).ping('pptp-office', there), {
      address: '10.77.0.1',
      answered: true,
      time: 4.293,
    });
  assert.deepEqual(await answering(ran('100% packet loss\n', 1)).ping('pptp-office', there), {
    address: '10.77.0.1',
    answered: false,
  });
});

test('a ping that cannot be made is refused, not unanswered', async () => {
  for (const [code, status] of [
    ['ENOENT', 'NOT_SUPPORTED'],
    ['EAGAIN', 'UNKNOWN_ERROR'],
  ])
    await assert.rejects(answering(ran('', code)).ping('pptp-office', there), { status });
});

test('a few at a time', async () => {
  const ends: ((found: Ran) => void)[] = [];
  const pings = new Pings(() => new Promise((resolve) => ends.push(resolve)));
  const ping = () => pings.ping('pptp-office', there);
  const running = [ping(), ping(), ping(), ping()];
  await assert.rejects(ping(), { message: '4 pings are running already' });
  ends[0]!(ran(''));
  await running[0];
  running.push(ping());
  assert.equal(ends.length, 5);
  for (const end of ends) end(ran(''));
  await Promise.all(running);
});
