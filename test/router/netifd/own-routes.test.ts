import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { Bus } from '../../../src/router/netifd/bus.ts';
import { HostDependencies } from '../../../src/router/netifd/host-dependencies.ts';
import { OwnRoutes } from '../../../src/router/netifd/own-routes.ts';
import type { KernelRoute } from '../../../src/router/route-table.ts';
import { ip, net } from '../../support/world.ts';

function file(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'own-routes-'));
  context.after(() => rmSync(folder, { recursive: true }));
  return join(folder, 'state', 'host-routes');
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
      own: new OwnRoutes(path, warn),
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

test('the oldest are forgotten, and what cannot be read or written is a warning', (context) => {
  const path = file(context);
  const routes = new OwnRoutes(path, warn);
  for (let n = 0; n < 70; n++) routes.add(`192.0.2.${n}`, 'eth1');
  assert.equal(readFileSync(path, 'utf8').split('\n').length - 1, 64);
  const again = new OwnRoutes(path, warn);
  assert.ok(!again.has('192.0.2.5', 'eth1') && again.has('192.0.2.6', 'eth1'));

  const warnings: string[] = [];
  const blocked = new OwnRoutes(join(path, 'below'), (text) => warnings.push(text));
  blocked.add('192.0.2.1', 'eth1');
  assert.ok(blocked.has('192.0.2.1', 'eth1'));
  assert.match(warnings.join('\n'), /^host routes of before.*\n.*not remembered/);
});
