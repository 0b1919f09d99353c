/** What the control socket offers: names, arguments and results are those of the ubus object `pptp`. */
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { RouterError } from '../router/router.ts';
import { cause } from '../wire/cause.ts';
import { formatAddress } from '../wire/ip.ts';
import { Capture } from './capture/capture.ts';
import type { Methods } from './control/server.ts';
import { MethodError } from './control/protocol.ts';
import type { Daemon } from './daemon.ts';
import {
  causeDocument,
  type CaptureDocument,
  sessionDocument,
  type LinkDocument,
  type ServerDocument,
  type StatusDocument,
} from './documents.ts';
import { monotonic } from './drive.ts';
import type { LinkRunner } from './link-runner.ts';
import { version } from './version.ts';

const CAPTURE_BYTES = 16 << 20;
const CAPTURE_SECONDS = 600;
const CAPTURE_SECONDS_MAX = 2 * 86_400;

type Params = Readonly<Record<string, unknown>>;

/** @param reload reads the configuration again; throws ConfigError */
export function methods(daemon: Daemon, captureDir: string, reload: () => Promise<void>): Methods {
  const captures = new Captures(daemon, captureDir);
  return {
    status: () => statusDocument(daemon),
    sessions: ({ server }: Params) => ({
      sessions: sessions(daemon)
        .filter(({ name, kind }) => server === undefined || (kind === 'caller' && name === server))
        .map((session) => sessionDocument(session, monotonic())),
    }),
    disconnect: (params) => disconnect(daemon, params),
    dial: async (params) => {
      await act(daemon, params, (name) => daemon.dial(name));
      return {};
    },
    hangup: async (params) => {
      await act(daemon, params, (name) => daemon.hangup(name));
      return {};
    },
    check: (params) => {
      const { link } = linkOf(daemon, params);
      const { session, state } = link.status();
      return {
        id:
          session !== undefined && state === 'up'
            ? daemon.checks.passedLink(link.options.name, session)
            : daemon.checks.startLink(link.options, daemon.ports),
      };
    },
    check_status: ({ id }: Params) => {
      const found = daemon.checks.status(number(id, 'id'));
      if (found === undefined)
        throw new MethodError('NOT_FOUND', 'there is no such check (any more)');
      return found;
    },
    failures: () => ({ failures: daemon.failures.list() }),
    counters: () => ({ ...daemon.io.counters(), counted: daemon.counters() }),
    capture_start: ({
      seconds = CAPTURE_SECONDS,
      bytes = CAPTURE_BYTES,
      secrets = false,
    }: Params) =>
      captures.start(number(seconds, 'seconds'), number(bytes, 'bytes'), secrets === true),
    capture_stop: () => captures.stop(),
    reload: async () => {
      await reload();
      return {};
    },
  };
}

function statusDocument(daemon: Daemon): StatusDocument {
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
  return { version, uptime: Math.round((now - daemon.started) / 1000), servers, links, relays: [] };
}

function sessions(daemon: Daemon) {
  const callers = [...daemon.servers.values()].flatMap(({ server }) => server.sessions());
  const links = [...daemon.links.values()].flatMap(({ link }) => link.status().session ?? []);
  return [...callers, ...links];
}

async function disconnect(daemon: Daemon, { id, username }: Params): Promise<{ ended: number }> {
  const which = typeof id === 'number' ? id : typeof username === 'string' ? username : undefined;
  if (which === undefined)
    throw new MethodError('INVALID_ARGUMENT', 'expected id (a number) or username (text)');
  let ended = 0;
  for (const { server } of daemon.servers.values())
    ended += server.disconnect(which, cause('USER_REQUEST'), monotonic());
  for (const [name, { link }] of daemon.links) {
    const { session } = link.status();
    if (session === undefined || (session.id !== which && session.username !== which)) continue;
    await daemon.hangup(name);
    ended++;
  }
  if (ended === 0)
    throw new MethodError(
      'NOT_FOUND',
      `there is no session ${typeof which === 'number' ? `with id ${which}` : `of user '${which}'`}`,
    );
  return { ended };
}

/** A supervisor may know a section that we have not read yet. */
async function act(
  daemon: Daemon,
  params: Params,
  what: (name: string) => Promise<void>,
): Promise<void> {
  const { interface: name } = params;
  if (typeof name !== 'string' || daemon.ports.router.supervisor === undefined)
    await what(linkOf(daemon, params).link.options.name);
  else
    try {
      await what(name);
    } catch (error) {
      if (error instanceof RouterError) throw new MethodError('FAILED', error.message);
      throw error;
    }
}

function linkOf(daemon: Daemon, { interface: name }: Params): LinkRunner {
  if (typeof name !== 'string')
    throw new MethodError('INVALID_ARGUMENT', 'expected interface (text)');
  const runner = daemon.links.get(name);
  if (runner === undefined) {
    const known = [...daemon.links.keys()].join(', ');
    throw new MethodError(
      'NOT_FOUND',
      `there is no link '${name}'${known === '' ? '' : `; there are: ${known}`}`,
    );
  }
  return runner;
}

function number(value: unknown, name: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 1)
    throw new MethodError('INVALID_ARGUMENT', `expected ${name} (a positive whole number)`);
  return value;
}

/** One capture at a time, in a folder of ours; the last few files stay until the next start. */
class Captures {
  private readonly daemon: Daemon;
  private readonly dir: string;
  private current: { capture: Capture; timer: NodeJS.Timeout } | undefined;

  constructor(daemon: Daemon, dir: string) {
    this.daemon = daemon;
    this.dir = dir;
  }

  start(seconds: number, bytes: number, secrets: boolean): { path: string } {
    if (this.current !== undefined)
      throw new MethodError('FAILED', 'a capture is running already: stop it first');
    mkdirSync(this.dir, { recursive: true, mode: 0o700 });
    for (const old of readdirSync(this.dir))
      if (/^capture-\d+\.pcap$/.test(old)) rmSync(join(this.dir, old));
    const capture = new Capture(
      join(this.dir, `capture-${Date.now()}.pcap`),
      Math.min(bytes, 256 << 20),
      secrets,
    );
    const timer = setTimeout(
      () => this.stop(),
      Math.min(seconds, CAPTURE_SECONDS_MAX) * 1000,
    ).unref();
    this.current = { capture, timer };
    this.daemon.io.capture = capture;
    return { path: capture.path };
  }

  stop(): CaptureDocument {
    if (this.current === undefined) throw new MethodError('NOT_FOUND', 'no capture is running');
    const { capture, timer } = this.current;
    clearTimeout(timer);
    this.daemon.io.capture = undefined;
    this.current = undefined;
    capture.close();
    const { path, packets, omitted, fault } = capture;
    return { path, packets, omitted, ...(fault === undefined ? {} : { fault }) };
  }
}
