/** How everything is, what went wrong, what was counted; reading the configuration again. */
import { formatAddress } from '../../wire/ip.ts';
import { method } from '../../ubus-js/index.ts';
import type { Daemon } from '../daemon.ts';
import {
  causeDocument,
  relayDocument,
  sessionDocument,
  type LinkDocument,
  type ServerDocument,
  type StatusDocument,
} from '../documents.ts';
import { monotonic } from '../drive.ts';
import { version } from '../version.ts';

export function statusMethods(daemon: Daemon, reload: () => Promise<void>) {
  return {
    status: method({}, () => statusDocument(daemon)),
    failures: method({}, () => ({ failures: daemon.failures.list() })),
    counters: method({}, () => {
      const { gre, calls, ...others } = daemon.io.counters();
      return { gre: { ...gre }, calls: { ...calls }, ...others, counted: daemon.counters() };
    }),
    reload: method({}, async () => {
      await reload();
      return {};
    }),
  };
}

async function statusDocument(daemon: Daemon): Promise<StatusDocument> {
  const now = monotonic();
  const servers = [...daemon.servers.values()].map(({ server }): ServerDocument => {
    const { name, device, port, localAddress, maxSessions } = server.options;
    return {
      name,
      device,
      port,
      local_address: formatAddress(localAddress),
      sessions: server.sessions().length,
      max_sessions: maxSessions,
    };
  });
  const links = [...daemon.links.values()].map(({ link, dns }): LinkDocument => {
    const { state, cause: why, retryAt, session } = link.status();
    return {
      name: link.options.name,
      device: link.options.device,
      server: link.options.server,
      state,
      dns: dns.map(formatAddress),
      ...(why === undefined ? {} : { cause: causeDocument(why) }),
      ...(retryAt === undefined
        ? {}
        : { retry_in: Math.max(0, Math.round((retryAt - now) / 1000)) }),
      ...(session === undefined ? {} : { session: sessionDocument(session, now) }),
    };
  });
  const relays = (await daemon.relays.status()).map((relay) => relayDocument(relay, now));
  return {
    version,
    uptime: Math.round((now - daemon.started) / 1000),
    servers,
    links,
    disabled: daemon.configuration.disabled,
    relays,
  };
}
