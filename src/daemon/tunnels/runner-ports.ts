/** What servers and links have in common to run on. */
import type { Secret } from '../../crypto/secret.ts';
import type { NamedSets } from '../../router/named-sets.ts';
import type { Router } from '../../router/router.ts';
import type { Allowance } from '../../session/allowance.ts';
import type { Gateway } from '../../session/gateway.ts';
import type { Neighbours, SessionEvent } from '../../session/ports.ts';
import type { LoginAnswer, LoginQuestion } from '../../session/authorization.ts';
import type { Access } from '../../session/server/access.ts';
import type { Connections } from '../engine/connections.ts';
import type { Drive } from '../engine/drive.ts';
import type { Faults } from '../engine/faults.ts';
import type { PacketIo } from '../engine/packet-io.ts';

/** Decides on logins elsewhere. */
export interface Authority {
  /** @param answered called once, unless the question is cancelled */
  ask(question: LoginQuestion, answered: (answer: LoginAnswer) => void): void;
  /** Nobody waits for the answer any more. @param id of the question */
  cancel(id: number): void;
}

export interface RunnerPorts {
  readonly gateway: Gateway;
  /** Servers only. */
  readonly access: Access;
  /** Servers only. */
  readonly authority: Authority;
  readonly drive: Drive;
  readonly faults: Faults;
  readonly io: PacketIo;
  readonly router: Router;
  readonly sets: NamedSets;
  readonly connections: Connections;
  readonly neighbours: Neighbours;
  /** What a link's quota leaves. */
  readonly linkAllowance: (name: string) => Allowance;
  readonly report: (event: SessionEvent) => void;
  /** A user's new password: in the file and in force when it is resolved. */
  readonly storePassword: (section: string, secret: Secret) => Promise<void>;
}
