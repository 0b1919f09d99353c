/** The objects on a bus, and who is subscribed to what. */
import type { Message } from './message.ts';
import { UbusError } from './status.ts';

/** Somebody on the bus. */
export interface Peer {
  readonly id: number;
  /** May add objects with a path and send events. */
  readonly publisher: boolean;
  readonly send: (message: Message) => void;
  readonly objects: Set<BusObject>;
  /** Its requests that wait for somebody else's answer: (seq, object). */
  readonly waiting: Map<string, { readonly seq: number; readonly object: BusObject }>;
}

export interface BusObject {
  readonly id: number;
  readonly owner: Peer;
  readonly path: string | undefined;
  readonly type: { readonly id: number; readonly signature: Uint8Array } | undefined;
  /** Of events. */
  readonly patterns: Set<string>;
  readonly subscribers: Set<BusObject>;
  readonly targets: Set<BusObject>;
}

/** Lower ones belong to the bus itself. */
const FIRST_ID = 1024;
const MAX_OBJECTS = 256;
const MAX_PATTERNS = 64;

export class BusObjects {
  readonly #byId = new Map<number, BusObject>();
  readonly #byPath = new Map<string, BusObject>();
  readonly #peersById = new Map<number, Peer>();

  newPeer(publisher: boolean, send: Peer['send']): Peer {
    const id = this.#newId();
    const peer: Peer = { id, publisher, send, objects: new Set(), waiting: new Map() };
    this.#peersById.set(id, peer);
    return peer;
  }

  forget(peer: Peer): void {
    this.#peersById.delete(peer.id);
  }

  peers(): Iterable<Peer> {
    return this.#peersById.values();
  }

  peer(id: number): Peer | undefined {
    return this.#peersById.get(id);
  }

  find(id: number | undefined): BusObject | undefined {
    return id === undefined ? undefined : this.#byId.get(id);
  }

  /** @throws {UbusError} */
  own(peer: Peer, id: number | undefined): BusObject {
    if (id === undefined) throw new UbusError('INVALID_ARGUMENT');
    const object = this.#byId.get(id);
    if (object === undefined) throw new UbusError('NOT_FOUND');
    if (object.owner !== peer) throw new UbusError('PERMISSION_DENIED');
    return object;
  }

  /** Those with a path and a signature that `pattern` means; undefined: all. */
  matching(pattern?: string): readonly BusObject[] {
    if (pattern !== undefined && !pattern.endsWith('*')) {
      const object = this.#byPath.get(pattern);
      return object === undefined ? [] : [object];
    }
    return [...this.#byPath.values()]
      .filter(({ path }) => pattern === undefined || matches(pattern, path!))
      .sort((a, b) => (a.path! < b.path! ? -1 : 1));
  }

  /** Who hears an event that `sender` sends. */
  listening(event: string, sender: Peer | undefined): readonly BusObject[] {
    return [...this.#byId.values()].filter(
      ({ owner, patterns }) =>
        owner !== sender && [...patterns].some((pattern) => matches(pattern, event)),
    );
  }

  /** @throws {UbusError} */
  add(owner: Peer, path?: string, signature?: Uint8Array, typeId?: number): BusObject {
    if (path !== undefined && (path === '' || this.#byPath.has(path)))
      throw new UbusError('INVALID_ARGUMENT');
    if (owner.objects.size >= MAX_OBJECTS) throw new UbusError('NO_MEMORY');
    const type =
      signature === undefined
        ? [...this.#byId.values()].find((object) => object.type?.id === typeId)?.type
        : { id: this.#newId(), signature };
    if (typeId !== undefined && type === undefined) throw new UbusError('INVALID_ARGUMENT');
    const object: BusObject = {
      id: this.#newId(),
      owner,
      path,
      type,
      patterns: new Set(),
      subscribers: new Set(),
      targets: new Set(),
    };
    this.#byId.set(object.id, object);
    owner.objects.add(object);
    if (path !== undefined) this.#byPath.set(path, object);
    return object;
  }

  remove(object: BusObject): void {
    this.#byId.delete(object.id);
    object.owner.objects.delete(object);
    if (object.path !== undefined) this.#byPath.delete(object.path);
  }

  /** @throws {UbusError} */
  listen(object: BusObject, pattern: string): void {
    if (pattern === '') throw new UbusError('PERMISSION_DENIED');
    if (object.patterns.size >= MAX_PATTERNS) throw new UbusError('NO_MEMORY');
    object.patterns.add(pattern);
  }

  #newId(): number {
    for (;;) {
      const id = FIRST_ID + Math.floor(Math.random() * (2 ** 32 - FIRST_ID)); // a name, no secret
      if (!this.#byId.has(id) && !this.#peersById.has(id)) return id;
    }
  }
}

function matches(pattern: string, name: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}
