/**
 * One end of the bus: what a program asks of it, and what it registers there. The end may lose its bus and find another:
 * requests that wait then fail; objects, listeners, subscriptions and monitors are registered again.
 */
import { clock } from '../platform/platform.ts';
import { decodeTable, encodeTable, type Table } from './blobmsg.ts';
import {
  decodeMonitored,
  MalformedMessage,
  SystemObject,
  type Attributes,
  type Message,
  type MessageType,
} from './message.ts';
import { Calls, type ObjectDefinition } from './objects.ts';
import { Registrations, type Registration } from './registrations.ts';
import { Requests, type Answer } from './requests.ts';
import { decodeSignature, encodeSignature, type Signature } from './signature.ts';
import { UbusError } from './status.ts';

export interface Found {
  readonly path: string;
  readonly id: number;
  readonly signature: Signature;
}

export interface CallOptions {
  /** Milliseconds until the call fails with TIMEOUT; 30,000 by default. */
  readonly timeout?: number;
}

export interface EndpointOptions {
  /** Something could not be registered; it is tried again. */
  readonly onFault?: (what: string, error: UbusError) => void;
  /** Something of the program's own (a listener, a subscriber) has thrown at a message; without it that is thrown on. */
  readonly onError?: (error: unknown) => void;
}

/** A message that passed the bus, seen by a monitor. */
export interface Monitored {
  /** The client that sent it, or was sent it. */
  readonly client: number;
  readonly direction: 'from' | 'to';
  readonly message: Message;
}

type Transmit = (message: Message) => void;
type Hear = (name: string, data: Table) => void;

const TIMEOUT = 30_000;

function rethrow(error: unknown): never {
  throw error;
}

export abstract class Endpoint {
  readonly #requests = new Requests();
  readonly #calls = new Calls();
  readonly #registrations: Registrations;
  readonly #objects = new Map<string, Registration>();
  readonly #monitors: ((seen: Monitored) => void)[] = [];
  protected readonly onError: (error: unknown) => void;
  #transmit: Transmit | undefined;

  constructor({ onFault = () => undefined, onError = rethrow }: EndpointOptions) {
    this.onError = onError;
    this.#registrations = new Registrations(this.#requests, TIMEOUT, onFault);
  }

  get connected(): boolean {
    return this.#transmit !== undefined;
  }

  /** Objects whose path is `pattern`, or begins with what precedes its trailing `*`. */
  async lookup(
    pattern: string,
    { timeout = TIMEOUT }: CallOptions = {},
  ): Promise<readonly Found[]> {
    const found: Found[] = [];
    const attributes = pattern === '*' ? {} : { objpath: pattern };
    try {
      await this.#request('LOOKUP', 0, attributes, timeout, ({ objpath, objid, signature }) => {
        const methods = decodeSignature(signature ?? new Uint8Array());
        if (objpath === undefined || objid === undefined) return;
        const known = methods instanceof UbusError ? {} : methods;
        found.push({ path: objpath, id: objid, signature: known });
      });
    } catch (error) {
      if (!(error instanceof UbusError && error.status === 'NOT_FOUND')) throw error;
    }
    return found;
  }

  /** @returns the first DATA of the answer, {} if there is none @throws {UbusError} */
  async call(path: string, method: string, args?: Table, options?: CallOptions): Promise<Table> {
    return (await this.callAll(path, method, args, options))[0] ?? {};
  }

  /** @returns every DATA of the answer @throws {UbusError} */
  async callAll(
    path: string,
    method: string,
    args: Table = {},
    { timeout = TIMEOUT }: CallOptions = {},
  ): Promise<readonly Table[]> {
    const start = clock.monotonic();
    const [object] = await this.lookup(path, { timeout });
    if (object === undefined) throw new UbusError('NOT_FOUND', `there is no object '${path}'`);
    return this.#invoke(object.id, method, args, timeout - (clock.monotonic() - start));
  }

  /** Sends an event to all who listen but ourselves. @throws {UbusError} */
  async send(event: string, data: Table): Promise<void> {
    await this.#invoke(SystemObject.Event, 'send', { id: event, data });
  }

  /** Serves an object, now and on every bus to come. */
  add(object: ObjectDefinition): void {
    const { path, methods } = object;
    if (this.#objects.has(path)) throw new Error(`there is an object '${path}' already`);
    const types = Object.entries(methods).map(
      ([name, method]) => [name, method.arguments] as const,
    );
    const registration: Registration = {
      what: `object ${path}`,
      attributes: { objpath: path, signature: encodeSignature(Object.fromEntries(types)) },
      receive: ({ type, ...message }) => {
        if (type === 'NOTIFY') object.onSubscribers?.(message.attributes.active === true);
        else if (type === 'INVOKE' && this.#transmit !== undefined)
          this.#calls.serve(object, { type, ...message }, this.#transmit).catch(this.onError);
      },
    };
    this.#objects.set(path, registration);
    this.#registrations.add(registration);
  }

  remove(path: string): void {
    const registration = this.#objects.get(path);
    if (registration === undefined) return;
    this.#objects.delete(path);
    this.#registrations.delete(registration);
  }

  /** Tells the subscribers of an object of ours. @public */
  notify(path: string, method: string, data: Table): void {
    const registration = this.#objects.get(path);
    const objid = registration && this.#registrations.idOf(registration);
    if (objid === undefined) return;
    const attributes = { objid, method, noReply: true, data: encodeTable(data) };
    this.#requests.post('NOTIFY', objid, attributes);
  }

  /** Hears events; patterns as in lookup. */
  listen(pattern: string, on: Hear): void {
    this.#registrations.add({
      what: `listener ${pattern}`,
      attributes: {},
      ready: async (id) => {
        await this.#invoke(SystemObject.Event, 'register', { object: id | 0, pattern });
      },
      receive: (message) => this.#hear(message, on),
    });
  }

  /** Hears the notifications of the object with this path, whenever there is one. */
  subscribe(path: string, on: Hear): void {
    let target: number | undefined;
    const subscribe = async () => {
      const objid = this.#registrations.idOf(registration);
      const [object] = objid === undefined ? [] : await this.lookup(path);
      if (objid === undefined || object === undefined || object.id === target) return;
      try {
        await this.#request('SUBSCRIBE', 0, { objid, target: object.id });
        target = object.id;
      } catch (error) {
        if (!(error instanceof UbusError && error.status === 'NOT_FOUND')) throw error;
      } // it has gone meanwhile: ubus.object.add will tell of the next one
    };
    // One attempt after the other: ubusd would take a second subscription for another one.
    let last: Promise<void> = Promise.resolve();
    const attempt = () => (last = last.catch(() => undefined).then(subscribe));
    const again = () => void this.#registrations.persist(registration.what, attempt);
    const registration: Registration = {
      what: `subscription to ${path}`,
      attributes: {},
      ready: () => {
        target = undefined;
        return attempt();
      },
      receive: (message) => {
        if (message.type === 'INVOKE') this.#hear(message, on);
        else if (message.type === 'UNSUBSCRIBE' && message.attributes.target === target) {
          target = undefined;
          again();
        }
      },
    };
    this.listen('ubus.object.add', (_event, data) => {
      if (data['path'] === path) again();
    });
    this.#registrations.add(registration);
  }

  /** Sees every message on the bus (ubusd: for root only). @public */
  monitor(on: (seen: Monitored) => void): void {
    this.#monitors.push(on);
    if (this.connected && this.#monitors.length === 1) this.#startMonitor();
  }

  /** There is a bus. */
  protected attach(transmit: Transmit): void {
    this.#transmit = transmit;
    this.#requests.reset(transmit);
    this.#registrations.attach();
    if (this.#monitors.length > 0) this.#startMonitor();
  }

  /** The bus is gone. */
  protected detach(): void {
    this.#transmit = undefined;
    this.#registrations.detach();
    this.#requests.reset();
  }

  protected receive(message: Message | MalformedMessage): void {
    try {
      this.#dispatch(message);
    } catch (error) {
      this.onError(error);
    }
  }

  #dispatch(message: Message | MalformedMessage): void {
    if (message instanceof MalformedMessage) {
      this.#requests.fail(message.seq, message);
      return;
    }
    switch (message.type) {
      case 'DATA':
      case 'STATUS':
        this.#requests.receive(message);
        return;
      case 'INVOKE':
      case 'NOTIFY':
      case 'UNSUBSCRIBE':
        this.#registrations.receive(message);
        return;
      case 'MONITOR':
        this.#see(message);
        return;
      case 'HELLO':
      case 'PING':
      case 'LOOKUP':
      case 'ADD_OBJECT':
      case 'REMOVE_OBJECT':
      case 'SUBSCRIBE': // only a bus is asked for these
    }
  }

  /** An event (peer 0: nobody waits for an answer) or a notification. */
  #hear({ seq, peer, attributes }: Message, on: Hear): void {
    const { objid, method = '', data = new Uint8Array(), noReply = false } = attributes;
    if (!noReply && peer !== 0 && objid !== undefined)
      this.#transmit?.({ type: 'STATUS', seq, peer, attributes: { status: 0, objid } });
    const table = decodeTable(data);
    if (!(table instanceof UbusError)) on(method, table);
  }

  #startMonitor(): void {
    void this.#registrations.persist('monitor', async () => {
      await this.#invoke(SystemObject.Monitor, 'add', {});
    });
  }

  #see(seen: Message): void {
    const message = decodeMonitored(seen);
    if (message instanceof UbusError) return;
    const { client = 0, send = false } = seen.attributes;
    for (const on of this.#monitors) on({ client, direction: send ? 'to' : 'from', message });
  }

  async #invoke(
    objid: number,
    method: string,
    args: Table,
    timeout = TIMEOUT,
  ): Promise<readonly Table[]> {
    const parts: (Table | UbusError)[] = [];
    // DATA even when it is empty: providers made with libubus refuse an INVOKE without.
    const attributes = { objid, method, data: encodeTable(args) };
    await this.#request('INVOKE', objid, attributes, timeout, ({ data = new Uint8Array() }) =>
      parts.push(decodeTable(data)),
    );
    return parts.map((part) => {
      if (part instanceof UbusError) throw part;
      return part;
    });
  }

  #request(
    type: MessageType,
    peer: number,
    attributes: Attributes,
    timeout = TIMEOUT,
    data: Answer['data'] = () => undefined,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (error: UbusError | undefined) =>
        error === undefined ? resolve() : reject(error);
      this.#requests.send(type, peer, attributes, timeout, { data, end });
    });
  }
}
