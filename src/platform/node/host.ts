import { lookup } from 'node:dns/promises';
import { hostname, networkInterfaces } from 'node:os';
import { getSystemErrorMap } from 'node:util';
import type { Host } from '../host.ts';

export const host: Host = {
  name: hostname,
  addresses: () =>
    Object.entries(networkInterfaces()).flatMap(([device, all = []]) =>
      all.map(({ family, address, cidr }) => ({
        device,
        family,
        address,
        cidr: cidr ?? undefined,
      })),
    ),
  resolve: async (name, family) =>
    (await lookup(name, { all: true, family })).map(({ address }) => address),
  systemError: (errno) => getSystemErrorMap().get(-errno),
};
