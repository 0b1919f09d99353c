/** Objects that one end has on the bus, with a path or (to hear something) without: registered now and on every bus to come. */
import type { Timer } from '../platform/clock.ts';
import { clock } from '../platform/platform.ts';
import type { Attributes, Message } from './message.ts';
import type { Requests } from './requests.ts';
import { UbusError } from './status.ts';

/** Between attempts to register what was refused. */
const RETRY = 5_000;

export interface Registration {
  /** For a fault. */
  readonly what: string;
  /** Of ADD_OBJECT. */
  readonly attributes: Attributes;
  /** The bus knows it by this number now. */
  ready?(id: number): Promise<void> | void;
  /** INVOKE, NOTIFY, UNSUBSCRIBE for it. */
  receive(message: Message): void;
}

export class Registrations {
  readonly #requests: Requests;
  readonly #timeout: number;
  readonly #onFault: (what: string, error: UbusError) => void;
  readonly #ids = new Map<Registration, number | undefined>();
  readonly #byId = new Map<number, Registration>();
  readonly #retries = new Set<Timer>();
  #connected = false;

  constructor(
    requests: Requests,
    timeout: number,
    onFault: (what: string, error: UbusError) => void,
  ) {
    this.#requests = requests;
    this.#timeout = timeout;
    this.#onFault = onFault;
  }

  attach(): void {
    this.#connected = true;
    for (const entry of this.#ids.keys()) this.#register(entry);
  }

  detach(): void {
    this.#connected = false;
    for (const timer of this.#retries) clock.cancel(timer);
    this.#retries.clear();
    this.#byId.clear();
    for (const entry of this.#ids.keys()) this.#ids.set(entry, undefined);
  }

  add(entry: Registration): void {
    this.#ids.set(entry, undefined);
    if (this.#connected) this.#register(entry);
  }

  delete(entry: Registration): void {
    const id = this.#ids.get(entry);
    this.#ids.delete(entry);
    if (id !== undefined) this.#unregister(id);
  }

  idOf(entry: Registration): number | undefined {
    return this.#ids.get(entry);
  }

  receive(message: Message): void {
    this.#byId.get(message.attributes.objid ?? 0)?.receive(message);
  }

  /** Does `work` for something that stays; where the bus refuses, says so and does it again later. */
  async persist(what: string, work: () => Promise<void> | void): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof UbusError)) throw error;
      if (this.#connected) this.#retry(what, error, () => void this.persist(what, work));
    }
  }

  #register(entry: Registration): void {
    let given: number | undefined;
    this.#requests.send('ADD_OBJECT', 0, entry.attributes, this.#timeout, {
      data: ({ objid }) => {
        given = objid;
        if (objid === undefined || !this.#ids.has(entry)) return;
        this.#ids.set(entry, objid);
        this.#byId.set(objid, entry); // before the next message: it may be for this object
      },
      end: (error) => {
        if (error !== undefined) {
          if (this.#connected && this.#ids.has(entry))
            this.#retry(entry.what, error, () => this.#ids.has(entry) && this.#register(entry));
        } else if (given === undefined) return;
        else if (!this.#ids.has(entry))
          this.#unregister(given); // deleted meanwhile
        else void this.persist(entry.what, () => this.#readyAt(entry, given!));
      },
    });
  }

  #readyAt(entry: Registration, id: number): Promise<void> | void {
    if (this.#ids.get(entry) === id) return entry.ready?.(id);
  }

  #unregister(objid: number): void {
    this.#byId.delete(objid);
    this.#requests.send('REMOVE_OBJECT', 0, { objid }, this.#timeout, { end: () => undefined });
  }

  #retry(what: string, error: UbusError, again: () => void): void {
    this.#onFault(what, error);
    const timer = clock.after(RETRY, () => {
      this.#retries.delete(timer);
      again();
    });
    this.#retries.add(timer);
  }
}
