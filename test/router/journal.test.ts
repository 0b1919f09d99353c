import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { Journal } from '../../src/router/journal.ts';
import type { Bus } from '../../src/router/netifd/bus.ts';
import { HostDependencies } from '../../src/router/netifd/host-dependencies.ts';
import type { KernelRoute } from '../../src/router/route-table.ts';
import { ip, net } from '../support/world.ts';

function file(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'journal-'));
  context.after(() => rmSync(folder, { recursive: true }));
  return join(folder, 'state', 'journal');
}

const warn = (text: string) => assert.fail(text);

test('the host route of a daemon that was killed is ours: the next one removes it', async (context) => {
  const path = file(context);
  const gateway = ip('203.0.113.1');
  const routes: KernelRoute[] = [
    { prefix: net('0.0.0.0/0'), device: 'eth1', gateway, metric: 0 },
    { prefix: net('203.0.113.1/32'), device: 'eth1', gateway: 0, metric: 0 },
  ];
  const commands: string[] = [];
  const bus = { call: () => Promise.resolve({}) } as Pick<Bus, 'call'> as Bus;
  const dependencies = () =>
    new HostDependencies({
      bus,
      ip: (...words) => Promise.resolve(commands.push(words.join(' '))),
      routes: () => Promise.resolve(routes),
      journal: new Journal(path, warn),
      later: warn,
    });
  await dependencies().hold('office', ip('198.51.100.10'), undefined);
  assert.deepEqual(commands.splice(0), ['route replace 198.51.100.10/32 via 203.0.113.1 dev eth1']);
  routes.push({ prefix: net('198.51.100.10/32'), device: 'eth1', gateway, metric: 0 });

  const next = dependencies();
  await next.hold('office', ip('198.51.100.10'), undefined);
  await next.release('office');
  // What the owner has made stays.
  await next.hold('office', ip('203.0.113.1'), undefined);
  await next.release('office');
  assert.deepEqual(commands, ['route del 198.51.100.10/32 dev eth1']);
});

test('what a killed daemon left is removed at the next start, and what it had released is not touched', async (context) => {
  const path = file(context);
  const gateway = ip('203.0.113.1');
  const address = '198.51.100.10';
  new Journal(path, warn).add('host-route', { address, device: 'eth1' });
  new Journal(path, warn).add('once', { address: '198.51.100.11', device: 'eth1' });
  const commands: string[] = [];
  const dependencies = new HostDependencies({
    bus: undefined as unknown as Bus,
    ip: (...words) => Promise.resolve(commands.push(words.join(' '))),
    routes: () =>
      Promise.resolve(
        ['198.51.100.10/32', '198.51.100.11/32'].map((prefix) => ({
          prefix: net(prefix),
          device: 'eth1',
          gateway,
          metric: 0,
        })),
      ),
    journal: new Journal(path, warn),
    later: warn,
  });
  await dependencies.recover();
  assert.deepEqual(commands, ['route del 198.51.100.10/32 dev eth1']);
  assert.deepEqual(new Journal(path, warn).all('host-route'), []);
});

test('the oldest are forgotten, and what cannot be read or written is a warning', (context) => {
  const path = file(context);
  const journal = new Journal(path, warn);
  const entry = (n: number) => ({ address: `192.0.2.${n}`, device: 'eth1' });
  for (let n = 0; n < 70; n++) journal.add('once', entry(n));
  journal.add('proxy-arp', entry(1));
  assert.equal(readFileSync(path, 'utf8').split('\n').length - 1, 65);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  const again = new Journal(path, warn);
  assert.ok(!again.has('once', entry(5)) && again.has('once', entry(6)));
  assert.deepEqual(again.all('proxy-arp'), [entry(1)]);
  again.remove('proxy-arp', entry(1));
  assert.deepEqual(new Journal(path, warn).all('proxy-arp'), []);

  const warnings: string[] = [];
  const blocked = new Journal(join(path, 'below'), (text) => warnings.push(text));
  blocked.add('once', entry(1));
  blocked.add('once', entry(2)); // said once
  assert.ok(blocked.has('once', entry(1)));
  assert.match(
    warnings.join('\n'),
    /^what a daemon before left .* not known.*\n.*not remembered.*$/,
  );
});

test('of a damaged file everything counts that can be read', (context) => {
  const path = file(context);
  new Journal(path, warn).add('proxy-arp', { address: '192.168.1.200', device: 'lan' });
  const whole = readFileSync(path, 'utf8');
  writeFileSync(
    path,
    `\0\xff\n${whole}proxy-arp 192.168.1.999 lan\nproxy-arp 192.168.1.5 ../../lan\nproxy-arp 1.2.3.4\nother 1.2.3.4 lan\nproxy-arp 10.0.0.1 lan extra\n__proto__ 1.2.3.4 lan\nhost-rou`,
  );
  const journal = new Journal(path, warn);
  assert.deepEqual(journal.all('proxy-arp'), [{ address: '192.168.1.200', device: 'lan' }]);
  assert.deepEqual(journal.all('host-route'), []);
});
