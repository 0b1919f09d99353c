/**
 * `check`: how far a connection gets, step by step. A check of a link dials once, beside the link itself, goes as far as
 * addresses, brings nothing up and hangs up. It is started, and then polled, because it takes as long as the network does.
 */
import type { ClientLinkOptions } from '../session/options.ts';
import { steps, type SessionEvent, type SessionStatus, type Step } from '../session/ports.ts';
import type { Cause } from '../wire/cause.ts';
import { formatAddress } from '../wire/ip.ts';
import { MethodError } from './control/protocol.ts';
import { causeDocument, type CauseDocument } from './documents.ts';
import { LinkRunner, type RunnerPorts } from './link-runner.ts';

export interface StepDocument {
  readonly step: string;
  readonly result: 'ok' | 'failed' | 'not reached';
  readonly detail: string;
}

export interface CheckDocument {
  readonly id: number;
  readonly name: string;
  readonly done: boolean;
  readonly steps: readonly StepDocument[];
  readonly cause?: CauseDocument;
}

const MAX_KEPT = 16;
const MAX_RUNNING = 4;

interface Check {
  readonly name: string;
  readonly passed: Map<Step, string>;
  done: boolean;
  cause?: Cause;
}

export class Checks {
  private readonly checks = new Map<number, Check>();
  private lastId = 0;

  /** Dials once. @returns the check's id @throws {MethodError} too many are running */
  startLink(options: ClientLinkOptions, ports: RunnerPorts): number {
    const running = [...this.checks.values()].filter(({ done }) => !done).length;
    if (running >= MAX_RUNNING)
      throw new MethodError('FAILED', `${running} checks are running already`);
    const check: Check = { name: options.name, passed: new Map(), done: false };
    const runner = new LinkRunner(
      options,
      { ...ports, report: (event) => note(check, event) },
      true,
      () => (check.done = true),
    );
    runner.feed((link, now) => link.dial(now));
    return this.keep(check);
  }

  /** A link that is up has passed all steps; dialling beside it might end it (max_per_user at the server). */
  passedLink(name: string, session: SessionStatus): number {
    const details: Record<Step, string> = {
      name: '',
      tcp: formatAddress(session.peer),
      control: '',
      call: `call id ${session.callId}, peer ${session.peerCallId}`,
      gre: `${session.counters.rxPackets} packets received`,
      lcp: `mtu ${session.mtu}`,
      login: session.auth,
      encryption: session.mppe,
      addresses: `${formatAddress(session.localAddress)} to ${formatAddress(session.peerAddress)}`,
    };
    return this.keep({
      name,
      passed: new Map(steps.map((step) => [step, `${details[step]} (the link is up)`.trim()])),
      done: true,
    });
  }

  status(id: number): CheckDocument | undefined {
    const check = this.checks.get(id);
    if (check === undefined) return undefined;
    const failed = check.done ? steps.find((step) => !check.passed.has(step)) : undefined;
    return {
      id,
      name: check.name,
      done: check.done,
      steps: steps.map((step) => ({
        step,
        result: check.passed.has(step) ? 'ok' : step === failed ? 'failed' : 'not reached',
        detail: check.passed.get(step) ?? '',
      })),
      ...(check.cause === undefined ? {} : { cause: causeDocument(check.cause) }),
    };
  }

  private keep(check: Check): number {
    this.checks.set(++this.lastId, check);
    for (const [id, { done }] of this.checks)
      if (this.checks.size > MAX_KEPT && done) this.checks.delete(id);
    return this.lastId;
  }
}

function note(check: Check, event: SessionEvent): void {
  if (event.what === 'step') check.passed.set(event.step, event.detail);
  // After the last step the probe hangs up by itself, which is no failure.
  else if (
    event.what === 'link-state' &&
    event.cause !== undefined &&
    check.passed.size < steps.length
  )
    check.cause = event.cause;
}
