/** CoA and Disconnect (RFC 5176): a UDP port where RADIUS servers end and change live sessions. Off unless one of them may. */
import { randomOctets } from '../../native/random.ts';
import type { DatagramListener } from '../../platform/datagrams.ts';
import { errorText } from '../../platform/errors.ts';
import { clock, datagrams, host } from '../../platform/platform.ts';
import {
  DynamicAuthorization,
  type DynamicAuthorizationOptions,
  type DynamicAuthorizationOutput,
} from '../../radius/dynamic-authorization.ts';
import { ErrorCause, type LiveSession, type Wanted } from '../../radius/dynamic-request.ts';
import type { Terms } from '../../session/authorization.ts';
import type { FilterSet } from '../../session/options.ts';
import { cause } from '../../wire/cause.ts';
import { formatAddress } from '../../wire/ip.ts';
import type { NasOptions, RadiusOptions } from '../configuration/radius.ts';
import type { ClientPorts } from './client-runner.ts';
import type { CallerSession, LiveSessions } from './live-sessions.ts';
import { radiusCall, termsChange } from './logins.ts';
import { nasOf, type Nas } from './nas.ts';

export interface DynamicRunnerPorts extends ClientPorts {
  readonly sessions: LiveSessions;
  /** A session has other terms now. */
  readonly changed: (session: CallerSession) => void;
}

/** How far the clocks may differ, ms. */
const WINDOW = 300_000;

export class DynamicRunner {
  readonly #ports: DynamicRunnerPorts;
  readonly #machine: DynamicAuthorization;
  #nas: Nas;
  #listener:
    { readonly port: number; readonly opened: Promise<DatagramListener | undefined> } | undefined;

  constructor(ports: DynamicRunnerPorts, options: NasOptions) {
    this.#ports = ports;
    this.#nas = nasOf(options);
    const { count, drive, log, sessions } = ports;
    this.#machine = new DynamicAuthorization(this.#options([]), {
      random: randomOctets,
      count: (what) => count(`radius coa: ${what}`),
      wallClock: () => Date.now(),
      session: (id) => this.#named(sessions.get(id)),
      sessions: () => Array.from(sessions.all(), (session) => this.#named(session)!),
    });
    drive.add(this.#machine, {
      about: 'RADIUS CoA',
      carryOut: (output) => this.#carryOut(output),
      failed: () => {
        log.line('error', 'RADIUS CoA: no more requests are taken until the next start');
        this.close();
      },
    });
  }

  configure(servers: readonly RadiusOptions[], options: NasOptions): void {
    this.#nas = nasOf(options);
    const those = servers.filter(({ coa }) => coa);
    this.#machine.reconfigure(this.#options(those));
    const port = those.length === 0 ? undefined : options.coaPort;
    if (port === this.#listener?.port) return;
    this.close();
    if (port !== undefined) this.#listener = { port, opened: this.#listen(port) };
  }

  close(): void {
    void this.#listener?.opened.then((listener) => listener?.close());
    this.#listener = undefined;
  }

  async #listen(port: number): Promise<DatagramListener | undefined> {
    const { drive, log } = this.#ports;
    const say = (error: unknown) =>
      log.line('error', `RADIUS CoA: UDP port ${port}: ${errorText(error)}`);
    try {
      return await datagrams.listen(port, {
        datagram: (octets, from) =>
          drive.feed(this.#machine, (machine, now) => machine.handleDatagram(octets, from, now)),
        failed: say,
      });
    } catch (error) {
      say(error);
      return undefined;
    }
  }

  #options(servers: readonly RadiusOptions[]): DynamicAuthorizationOptions {
    return {
      clients: new Map(servers.map(({ server, name, secret }) => [server, { name, secret }])),
      nas: {
        identifier: this.#nas.identifier,
        isOwnAddress: (address) =>
          address === this.#nas.address ||
          host.addresses().some((own) => own.address === formatAddress(address)),
      },
      window: WINDOW,
      needsMessageAuthenticator: true,
      needsEventTimestamp: true,
    };
  }

  #named(session: CallerSession | undefined): LiveSession | undefined {
    return (
      session && {
        call: radiusCall(session.account.call, this.#nas, session.auth),
        multiSessionId: undefined,
        username: session.username,
        address: session.peerAddress,
      }
    );
  }

  #carryOut(output: DynamicAuthorizationOutput): void {
    const { drive, log } = this.#ports;
    switch (output.kind) {
      case 'send':
        void this.#listener?.opened.then((listener) => listener?.send(output.octets, output.to));
        break;
      case 'act': {
        const refusal = this.#act(output.sessions, output.wanted, output.client);
        drive.feed(this.#machine, (machine) => machine.handleDone(output.request, refusal));
        break;
      }
      case 'warning':
        log.line('warning', `RADIUS server ${output.client} (CoA): ${output.text}`);
        break;
    }
  }

  #act(ids: readonly string[], wanted: Wanted, client: string): ErrorCause | undefined {
    const { changed, log, sessions } = this.#ports;
    const found = ids.flatMap((id) => sessions.get(id) ?? []);
    if (found.length < ids.length) return ErrorCause.SessionContextNotFound;
    for (const session of found) {
      // What is not carried out must not be acknowledged.
      const refusal = filterFault(wanted, sessions.serverOf(session)?.server.options.filterSets);
      if (refusal !== undefined) return refusal;
    }
    const now = clock.monotonic();
    for (const session of found) {
      const { accountingId } = session.account.call;
      const server = sessions.serverOf(session)?.server;
      // RFC 5176 §3.6, note 4: the Class of a Disconnect-Request is for the Stop.
      const change = wanted.kind === 'change' ? termsChange(wanted.change) : classesOf(wanted);
      if (change !== undefined) server?.changeTerms(session.id, change, now);
      log.line(
        'info',
        `RADIUS server ${client}: session ${session.id} of ${session.username}: ${wanted.kind}`,
      );
      sessions.forget();
      const then = sessions.get(accountingId);
      if (then !== undefined && change !== undefined) changed(then);
      if (wanted.kind === 'disconnect')
        server?.disconnect(session.id, cause('USER_REQUEST', `RADIUS server ${client}`), now);
    }
    return undefined;
  }
}

/** Why the filters that are wanted cannot be put in force. */
function filterFault(wanted: Wanted, sets: readonly FilterSet[] = []): ErrorCause | undefined {
  if (wanted.kind !== 'change' || wanted.change.filters === undefined) return undefined;
  if (sets.length === 0) return ErrorCause.UnsupportedAttribute;
  const isKnown = (name: string) => sets.some(({ filter }) => filter === name);
  return wanted.change.filters.every(isKnown) ? undefined : ErrorCause.InvalidAttributeValue;
}

function classesOf({ classes }: Wanted & { kind: 'disconnect' }): Partial<Terms> | undefined {
  return classes.length === 0 ? undefined : { classes };
}
