/** What a daemon is made with: what it must have from whoever starts it. */
import type { Secret } from '../crypto/secret.ts';
import type { RelayShortcut } from '../router/relay-shortcut/shortcut.ts';
import type { Router, SupervisedDaemon } from '../router/router.ts';
import type { Upkeep } from '../router/upkeep.ts';
import type { Zones } from '../router/zones.ts';
import type { Configuration } from './configuration/configuration.ts';
import type { BusEvent } from './reports/events.ts';
import type { Faults } from './engine/faults.ts';
import type { Log } from './reports/log.ts';
import type { UsageFolders } from './usage/usage-runner.ts';

export interface DaemonOptions {
  readonly log: Log;
  readonly faults: Faults;
  /** A folder of the daemon's own that outlives it. */
  readonly state: string;
  /** Another, which goes with a restart of the machine. */
  readonly runtime: string;
  /** What the clocks on the walls show at a moment; both ms since 1970. */
  readonly localTime: (utc: number) => number;
  /** Where usage is kept, unless the configuration says where it lasts. */
  readonly usage: UsageFolders;
  /** Dial links with auto 1 ourselves, where no supervisor decides. */
  readonly dial: boolean;
  /** Makes the Router port. */
  readonly router: (
    daemon: SupervisedDaemon,
    warn: (message: string) => void,
    upkeep: Upkeep,
  ) => Router;
  /** The configuration as it stands now; sections with faults are as they were before. @throws Fatal */
  readonly read: (before: Configuration) => Configuration;
  /** Keeps a user's new password where `read` finds it. @throws it cannot */
  readonly storePassword: (section: string, secret: Secret) => Promise<void>;
  /** For the buses. */
  readonly publish?: (event: BusEvent) => void;
  /** For relays. */
  readonly shortcut: RelayShortcut;
  /** What the networks of relays are; devices by their names where nobody knows more. */
  readonly zones?: Zones;
}
