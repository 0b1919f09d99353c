/** Servers are changed as a whole or not at all; devices, routes and ports are only noted here. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Drive } from '../../../src/daemon/engine/drive.ts';
import type { RunnerPorts } from '../../../src/daemon/tunnels/runner-ports.ts';
import type { Listeners } from '../../../src/daemon/tunnels/listeners.ts';
import { Log } from '../../../src/daemon/reports/log.ts';
import { Servers } from '../../../src/daemon/tunnels/servers.ts';
import type { ServerOptions } from '../../../src/session/options.ts';
import { Gateway } from '../../../src/session/gateway.ts';
import { Access } from '../../../src/session/server/access.ts';
import { noFaults } from '../../support/no-faults.ts';
import { limits, seeded, serverOptions } from '../../support/world.ts';

/** A server on a device of its own; `mtu` is something that needs a new device. */
const server = (name: string, mtu = 1400, port = 1723): ServerOptions => ({
  ...serverOptions,
  name,
  device: `pptps-${name}`,
  mtu,
  port,
  keys: { listener: `${mtu} ${port}`, session: `${mtu} ${port}` },
});

function scene() {
  const devices = new Set<string>();
  const open = new Set<number>();
  /** Devices that the router cannot set up, with this MTU of callers. */
  const broken = new Set<string>();
  const lines: string[] = [];
  /** Of the devices that were set up, in order. */
  const mtus: number[] = [];
  const faults = noFaults();
  const gateway = new Gateway({ limits, random: seeded(1), count: () => undefined });
  const ports = {
    gateway,
    access: new Access(gateway, {
      users: [],
      wallTime: () => ({ utc: 0, local: 0 }),
      allowance: () => Infinity,
      report: () => undefined,
    }),
    drive: new Drive(faults),
    faults,
    report: () => undefined,
    io: {
      paths: { open: () => undefined },
      openDevice: (name: string) => {
        assert.ok(!devices.has(name), `${name} is there already`);
        devices.add(name);
        return { name };
      },
      closeDevice: ({ name }: { name: string }) => devices.delete(name),
    },
    router: {
      serverUp: ({ name, mtu }: { name: string; mtu: number }) => {
        mtus.push(mtu);
        return broken.has(`${name} ${mtu + 4}`)
          ? Promise.reject(new Error(`${name} cannot be set up`))
          : Promise.resolve();
      },
      serverDown: () => undefined,
    },
  } as unknown as RunnerPorts;
  const listeners = {
    open: (wanted: readonly number[]) => {
      const opened = wanted.filter((port) => !open.has(port));
      for (const port of opened) open.add(port);
      return Promise.resolve(() => opened.forEach((port) => open.delete(port)));
    },
    retain: (wanted: readonly number[]) => {
      for (const port of open) if (!wanted.includes(port)) open.delete(port);
    },
  } as unknown as Listeners;
  const servers = new Servers(
    ports,
    new Log((line) => lines.push(line)),
    () => undefined,
    () => [],
  );
  return {
    servers,
    broken,
    lines,
    mtus,
    change: (...wanted: ServerOptions[]) => servers.change(wanted, listeners),
    state: () => ({
      servers: [...servers.running.values()]
        .map(({ server: { options } }) => `${options.name} ${options.mtu}`)
        .sort(),
      devices: [...devices].sort(),
      ports: [...open].sort(),
    }),
  };
}

test('the device has the MTU that its sessions have; optional encryption does not lower it for those without', async () => {
  const { change, servers, mtus } = scene();
  const withMppe = (policy: 'required' | 'optional' | 'off'): ServerOptions => ({
    ...server('a'),
    mppe: { ...serverOptions.mppe, policy },
    keys: { ...serverOptions.keys, session: policy },
  });
  await change(withMppe('optional'));
  const a = servers.running.get('a');
  await change(withMppe('off'));
  await change(withMppe('required'));
  assert.equal(servers.running.get('a'), a, 'on the device that it has');
  assert.deepEqual(mtus, [1400, 1400, 1396]);
});

test('a device that cannot be made what new sessions need is as it was, and so are the others', async () => {
  const { change, mtus, broken, state } = scene();
  const withMtu = (name: string, mtu: number): ServerOptions => ({
    ...server(name, mtu),
    keys: { ...serverOptions.keys, session: String(mtu) },
  });
  await change(withMtu('a', 1400), withMtu('b', 1400));
  const before = state();
  broken.add('b 1300');
  await assert.rejects(change(withMtu('a', 1300), withMtu('b', 1300)), /b cannot be set up/);
  assert.deepEqual(state(), before);
  assert.deepEqual(mtus, [1396, 1396, 1296, 1296, 1396, 1396]);
});

test('servers come, change and go; one that did not change is the same as before', async () => {
  const { change, servers, state } = scene();
  await change(server('a'), server('b', 1400, 1724));
  const a = servers.running.get('a');
  await change(server('a'), server('b', 1300, 1725), server('c'));
  assert.equal(servers.running.get('a'), a);
  assert.deepEqual(state(), {
    servers: ['a 1400', 'b 1300', 'c 1400'],
    devices: ['pptps-a', 'pptps-b', 'pptps-c'],
    ports: [1723, 1725],
  });
  await change();
  assert.deepEqual(state(), { servers: [], devices: [], ports: [] });
});

test('a new server that cannot be set up disturbs nobody', async () => {
  const { change, servers, state, broken } = scene();
  await change(server('a'), server('b'));
  const before = state();
  const running = [...servers.running.values()];
  broken.add('c 1400');
  // a would be made anew on its device, b is gone, c fails.
  await assert.rejects(change(server('a', 1300), server('c', 1400, 1800)), /c cannot be set up/);
  assert.deepEqual(state(), before);
  assert.deepEqual([...servers.running.values()], running);
});

test('servers that had to give up their devices get them back when a successor fails', async () => {
  const { change, state, broken, lines } = scene();
  await change(server('a'), server('b'));
  const before = state();
  broken.add('b 1300');
  const wanted = [server('n', 1400, 1800), server('a', 1300), server('b', 1300)];
  await assert.rejects(change(...wanted), /b cannot be set up/);
  assert.deepEqual(state(), before);
  broken.clear();
  await change(...wanted);
  assert.deepEqual(state().servers, ['a 1300', 'b 1300', 'n 1400']);

  broken.add('b 1300').add('b 1200'); // not even what was there before
  await assert.rejects(change(server('a', 1300), server('b', 1200)), /b cannot be set up/);
  assert.deepEqual(state().servers, ['a 1300', 'n 1400']);
  assert.match(lines.at(-1)!, /error: server b: cannot be started again: b cannot be set up/);
});
