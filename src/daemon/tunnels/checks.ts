/**
 * `check`: how far a connection gets, step by step. A check of a link dials once, beside the link itself, goes as far as
 * addresses, brings nothing up and hangs up (one that is up is asked itself: echo-check.ts); one of a server, for which there is no account, goes as far as GRE. It is
 * started, and then polled, because it takes as long as the network does.
 */
import type { ClientLinkOptions } from '../../session/options.ts';
import { steps, type SessionEvent, type SessionStatus, type Step } from '../../session/ports.ts';
import { UbusError } from '../../ubus-js/index.ts';
import { cause, type Cause } from '../../wire/cause.ts';
import { linkFromSection } from '../configuration/link.ts';
import type { Problem } from '../configuration/problems.ts';
import { unwritten } from '../configuration/section.ts';
import { causeDocument, type CauseDocument } from '../reports/documents.ts';
import { EchoCheck, liveSteps, type EchoTarget } from './echo-check.ts';
import { LinkRunner } from './link-runner.ts';
import type { RunnerPorts } from './runner-ports.ts';

export type StepDocument = {
  readonly step: string;
  readonly result: 'ok' | 'failed' | 'not reached';
  readonly detail: string;
};

export type CheckDocument = {
  readonly id: number;
  readonly name: string;
  readonly done: boolean;
  readonly steps: readonly StepDocument[];
  readonly cause?: CauseDocument;
};

const MAX_KEPT = 16;
const MAX_RUNNING = 4;

/** How far something has come that takes as long as the network does, step by step. */
export interface Progress {
  readonly name: string;
  readonly steps: readonly string[];
  /** Steps with their details. */
  readonly passed: ReadonlyMap<string, string>;
  readonly done: boolean;
  readonly cause?: Cause;
}

/** How far a server is followed by somebody who has no account there: its first GRE packet says all but the login. */
const anonymousSteps = steps.slice(0, steps.indexOf('gre') + 1);

interface Check extends Progress {
  readonly steps: readonly Step[];
  readonly passed: Map<Step, string>;
  done: boolean;
  cause?: Cause;
}

interface Kept {
  readonly progress: Progress;
  /** Nobody tells this one how it goes on: it looks. */
  readonly look?: () => void;
}

export class Checks {
  readonly #checks = new Map<number, Kept>();
  #lastId = 0;

  /** Dials once. @returns the check's id @throws {UbusError} too many are running */
  startLink(options: ClientLinkOptions, ports: RunnerPorts): number {
    return this.#dial(options, steps, ports);
  }

  /** Calls a server without logging in. @throws {UbusError} as startLink, or `server` is no host */
  startServer(server: string, port: number, ports: RunnerPorts): number {
    return this.#dial(anonymousLink(server, port), anonymousSteps, ports);
  }

  /** Something else that goes on by itself. @throws {UbusError} too many are running */
  start(begin: () => Progress): number {
    this.#admit();
    return this.#keep({ progress: begin() });
  }

  /** A link that is up: its session is asked, and stays as it is. @throws {UbusError} too many are running */
  startLive(target: EchoTarget, session: SessionStatus): number {
    this.#admit();
    const { before, after } = liveSteps(session);
    const echo = new EchoCheck(target, session);
    const check: Check = { name: session.name, steps, passed: new Map(before), done: false };
    const look = () => {
      if (check.done) return;
      const verdict = echo.look();
      if (verdict === undefined) return;
      check.done = true;
      if ('cause' in verdict) check.cause = verdict.cause;
      else {
        const answer = `MTU ${session.mtu}, echo answered after ${verdict.time.toFixed(1)} ms`;
        for (const [step, detail] of [['lcp', answer] as const, ...after])
          check.passed.set(step, detail);
      }
    };
    return this.#keep({ progress: check, look });
  }

  status(id: number): CheckDocument | undefined {
    const kept = this.#checks.get(id);
    if (kept === undefined) return undefined;
    kept.look?.();
    const check = kept.progress;
    const failed = check.done ? check.steps.find((step) => !check.passed.has(step)) : undefined;
    return {
      id,
      name: check.name,
      done: check.done,
      steps: check.steps.map((step) => ({
        step,
        result: check.passed.has(step) ? 'ok' : step === failed ? 'failed' : 'not reached',
        detail: check.passed.get(step) ?? '',
      })),
      ...(check.cause === undefined ? {} : { cause: causeDocument(check.cause) }),
    };
  }

  #dial(options: ClientLinkOptions, wanted: readonly Step[], ports: RunnerPorts): number {
    this.#admit();
    const check: Check = { name: options.name, steps: wanted, passed: new Map(), done: false };
    const report = (event: SessionEvent) => {
      note(check, event);
      // A check of a link ends by itself after its last step.
      if (event.what === 'step' && event.step === wanted.at(-1) && wanted !== steps)
        runner.feed((link, now) => link.close(cause('USER_REQUEST'), now));
    };
    const runner = new LinkRunner(options, { ...ports, report }, true, () => (check.done = true));
    runner.feed((link, now) => link.dial(now));
    return this.#keep({ progress: check });
  }

  #admit(): void {
    const running = [...this.#checks.values()].filter(({ progress, look }) => {
      look?.();
      return !progress.done;
    }).length;
    if (running >= MAX_RUNNING)
      throw new UbusError('UNKNOWN_ERROR', `${running} checks are running already`);
  }

  #keep(check: Kept): number {
    this.#checks.set(++this.#lastId, check);
    for (const [id, { progress }] of this.#checks)
      if (this.#checks.size > MAX_KEPT && progress.done) this.#checks.delete(id);
    return this.#lastId;
  }
}

function note(check: Check, event: SessionEvent): void {
  if (event.what === 'step') check.passed.set(event.step, event.detail);
  // After the last step the probe hangs up, which is no failure.
  else if (
    event.what === 'link-state' &&
    event.cause !== undefined &&
    !check.passed.has(check.steps.at(-1)!)
  )
    check.cause = event.cause;
}

/** @throws {UbusError} INVALID_ARGUMENT */
function anonymousLink(server: string, port: number): ClientLinkOptions {
  const words = { proto: 'pptpgw', server, port: String(port), nohostroute: '1' };
  const nobody = { username: 'check', password: 'check' };
  const problems: Problem[] = [];
  const link = linkFromSection(
    unwritten('network', 'interface', server, { ...words, ...nobody }),
    problems,
  );
  if (link !== undefined) return link;
  const [fault] = problems;
  throw new UbusError('INVALID_ARGUMENT', `${fault!.option}: ${fault!.message}`);
}
