/** What a machine has had done and not undone: tunnels that are up, sessions that were told of. Kept for when it fails. */
import type {
  CallerOutput,
  CallPath,
  ClientLinkOutput,
  Tunnel,
  SessionOutput,
  SessionStatus,
} from '../../session/ports.ts';
import type { Slot } from '../../wire/brand.ts';
import type { Cause } from '../../wire/cause.ts';

export class Standing {
  /** By slot. */
  readonly #tunnels = new Map<Slot, { readonly path: CallPath; readonly tunnel: Tunnel }>();
  /** By id. */
  readonly #sessions = new Map<number, SessionStatus>();

  /** What the program before has had done. Not carried: it is what sessions() and tunnels of the machine say. */
  restore(
    tunnels: readonly { readonly path: CallPath; readonly tunnel: Tunnel }[],
    sessions: readonly SessionStatus[],
  ): void {
    for (const each of tunnels) this.#tunnels.set(each.path.slot, each);
    for (const session of sessions) this.#sessions.set(session.id, session);
  }

  /** Carries an output out: what it brings stands before that, what it ends stands until it is done. */
  carryOut<O extends CallerOutput | ClientLinkOutput>(output: O, act: (output: O) => void): void {
    const event = output.kind === 'event' ? output.event : undefined;
    if (output.kind === 'tunnel-up' || output.kind === 'tunnel-changed')
      this.#tunnels.set(output.path.slot, output);
    if (event?.what === 'session-up') this.#sessions.set(event.session.id, event.session);
    act(output);
    if (output.kind === 'tunnel-down') this.#tunnels.delete(output.path.slot);
    if (event?.what === 'session-down') this.#sessions.delete(event.session.id);
  }

  /** What the machine would say if it could still end everything. Its paths are open until that is carried out. */
  endings(cause: Cause): readonly SessionOutput[] {
    const tunnels = [...this.#tunnels.values()];
    return [
      ...tunnels.map(({ path, tunnel }) => ({ kind: 'tunnel-down', path, tunnel }) as const),
      ...[...this.#sessions.values()].map((session): SessionOutput => {
        const path = tunnels.find(({ path: { callId } }) => callId === session.callId)?.path;
        const counters = path?.counters() ?? session.counters;
        const event = { what: 'session-down', session: { ...session, counters }, cause } as const;
        return { kind: 'event', event };
      }),
    ];
  }
}
