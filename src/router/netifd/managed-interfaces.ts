/** All interfaces of ours: netifd's calls and dumps go in, what follows from them is done. See managed-interface.ts. */
import { errorText } from '../../platform/errors.ts';
import { clock } from '../../platform/platform.ts';
import type { Table } from '../../ubus-js/index.ts';
import { UbusError } from '../../ubus-js/index.ts';
import type { Cause } from '../../wire/cause.ts';
import { RouterError, type SupervisedDaemon } from '../router.ts';
import { CALL, isAway, type Bus } from './bus.ts';
import { errorCode } from './error-codes.ts';
import type { InterfaceStatus } from './interface-status.ts';
import { ManagedInterface } from './managed-interface.ts';

/** How long netifd may be away while something is up that it should know of, ms; in steps of a second. */
const PATIENCE = 10_000;
/** notify_proto (netifd's proto-ext.c). */
const Action = { UpdateLink: 0, NotifyError: 3, BlockRestart: 4, SetupFailed: 7 } as const;

export class ManagedInterfaces {
  readonly #bus: Bus;
  readonly #daemon: SupervisedDaemon;
  readonly #warn: (text: string) => void;
  readonly #machines = new Map<string, ManagedInterface>();

  constructor(bus: Bus, daemon: SupervisedDaemon, warn: (text: string) => void) {
    this.#bus = bus;
    this.#daemon = daemon;
    this.#warn = warn;
  }

  /** Not carried: #bus, #daemon, #warn. */
  save() {
    return [...this.#machines].map(([name, machine]) => ({ name, machine: machine.save() }));
  }

  restore(saved: ReturnType<ManagedInterfaces['save']>): void {
    for (const { name, machine } of saved) this.#of(name).restore(machine);
  }

  isSetUp(name: string): boolean {
    return this.#machines.get(name)?.isSetUp ?? false;
  }

  isAnnounced(name: string): boolean {
    return this.#machines.get(name)?.isAnnounced ?? false;
  }

  handleSetup(name: string): void {
    this.#feed(name, (machine) => machine.handleSetup());
  }

  handleTeardown(name: string): void {
    this.#feed(name, (machine) => machine.handleTeardown());
  }

  handleDial(name: string): void {
    this.#feed(name, (machine) => machine.handleDial());
  }

  /** @throws RouterError netifd has taken the interface down, refuses, or is away for long */
  async announce(name: string, announcement: Table): Promise<void> {
    const machine = this.#of(name);
    if (!machine.announce(announcement))
      throw new RouterError(`netifd has taken ${name} down`, 'INTERFACE_DOWN');
    await this.#drain(name, machine);
  }

  withdraw(name: string): void {
    this.#feed(name, (machine) => machine.withdraw(clock.monotonic()));
  }

  /** Shows a failure where the owner looks for it. `blocked`: netifd shall not try again by itself. */
  async fail(name: string, { code }: Cause, blocked: boolean): Promise<void> {
    const error = errorCode(code);
    if (!this.isSetUp(name) || error === undefined) return;
    try {
      await this.#notify(name, Action.NotifyError, { error: [error] });
      if (!blocked) return;
      await this.#notify(name, Action.BlockRestart);
      await this.#notify(name, Action.SetupFailed);
    } catch (refusal) {
      if (!(await isAway(this.#bus, 'network.interface', refusal)))
        this.#warn(
          `interface ${name}: netifd does not take the error ${error}: ${errorText(refusal)}`,
        );
    }
  }

  /** A dump is asked for. @returns what to do with its answer: what changed meanwhile is left alone */
  expectDump(): (interfaces: readonly InterfaceStatus[]) => void {
    const versions = new Map([...this.#machines].map(([name, { version }]) => [name, version]));
    return (interfaces) => {
      const ours = interfaces.filter(({ name, proto }) => this.#daemon.isOurs(name, proto));
      const names = new Set([...this.#machines.keys(), ...ours.map(({ name }) => name)]);
      for (const name of names) {
        const status = ours.find((found) => found.name === name);
        const known = this.#machines.get(name);
        if (known !== undefined && known.version !== versions.get(name)) continue;
        this.#feed(name, (machine) => machine.handleStatus(status, clock.monotonic()));
      }
    };
  }

  #of(name: string): ManagedInterface {
    let machine = this.#machines.get(name);
    if (machine === undefined) this.#machines.set(name, (machine = new ManagedInterface()));
    return machine;
  }

  #feed(name: string, act: (machine: ManagedInterface) => void): void {
    const machine = this.#of(name);
    act(machine);
    this.#drain(name, machine).catch((error: unknown) => {
      // netifd is taking it down: its teardown will come.
      const isGoing = error instanceof RouterError && error.code === 'INTERFACE_DOWN';
      if (!isGoing) this.#warn(errorText(error));
    });
  }

  /** Settles with what was to be told to netifd. */
  async #drain(name: string, machine: ManagedInterface): Promise<void> {
    const told: Promise<void>[] = [];
    for (let output = machine.poll(); output !== undefined; output = machine.poll()) {
      switch (output.kind) {
        case 'start':
          this.#daemon.start(name, output.fresh);
          break;
        case 'stop':
          this.#daemon.stop(name);
          break;
        case 'notify':
          told.push(this.#tell(name, machine, output.update));
          break;
      }
    }
    await Promise.all(told);
  }

  async #tell(name: string, machine: ManagedInterface, update: Table): Promise<void> {
    const { version } = machine;
    const isUp = update['link-up'] === true;
    for (let patience = PATIENCE; ; patience -= 1_000) {
      try {
        await this.#notify(name, Action.UpdateLink, update);
        return;
      } catch (error) {
        // A loss is found in the next dump again; what was overtaken does not matter.
        if (!isUp || machine.version !== version) return;
        if (error instanceof UbusError && error.status === 'PERMISSION_DENIED')
          throw new RouterError(`netifd is taking ${name} down`, 'INTERFACE_DOWN');
        if (patience <= 0 || !(await isAway(this.#bus, 'network.interface', error)))
          throw new RouterError(
            `interface ${name}: netifd does not take it over: ${errorText(error)}`,
            'NETIFD_REFUSED',
          );
      }
      await clock.pause(1_000);
    }
  }

  async #notify(name: string, action: number, more: Table = {}): Promise<void> {
    const args = { interface: name, action, ...more };
    await this.#bus.call('network.interface', 'notify_proto', args, CALL);
  }
}
