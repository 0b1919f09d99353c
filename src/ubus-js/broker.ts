/**
 * A bus: what ubusd does with messages, without sockets. Unlike ubusd it refuses malformed attributes instead of taking them
 * for absent, takes no answer to a call from anyone but the object's owner, and tells the callers of an object that goes away.
 */
import { decodeTable, encodeTable, type Table } from './blobmsg.ts';
import { BusObjects, type BusObject, type Peer } from './bus-objects.ts';
import {
  encodeMonitored,
  MalformedMessage,
  SystemObject,
  type Attributes,
  type Message,
  type MessageType,
} from './message.ts';
import { statusCode, UbusError, type Status } from './status.ts';

/** Of one peer. */
const MAX_WAITING = 256;

/** What the request ends with; undefined: it was answered, or somebody else will. */
type Outcome = 'OK' | undefined;

export class Broker {
  readonly #objects = new BusObjects();
  readonly #monitors = new Map<Peer, number>();
  #lastEvent = 0;
  #lastNotice = 0;

  /** @param publisher may add objects with a path and send events */
  connect(publisher: boolean, send: Peer['send']): Peer {
    const peer: Peer = this.#objects.newPeer(publisher, (message) => {
      this.#show(peer, 'to', message);
      send(message);
    });
    peer.send({ type: 'HELLO', seq: 0, peer: peer.id, attributes: {} });
    return peer;
  }

  disconnect(peer: Peer): void {
    this.#monitors.delete(peer);
    for (const object of peer.objects) this.#remove(object);
    this.#objects.forget(peer);
  }

  receive(peer: Peer, message: Message | MalformedMessage): void {
    if (message instanceof MalformedMessage) {
      reply(peer, message, 'STATUS', { status: statusCode(message.status) });
      return;
    }
    this.#show(peer, 'from', message);
    try {
      const outcome = this.#handlers[message.type](peer, message);
      if (outcome === 'OK') reply(peer, message, 'STATUS', { status: statusCode('OK') });
    } catch (error) {
      if (!(error instanceof UbusError)) throw error;
      reply(peer, message, 'STATUS', { status: statusCode(error.status) });
    }
  }

  readonly #handlers: Readonly<Record<MessageType, (peer: Peer, message: Message) => Outcome>> = {
    HELLO: refuse('INVALID_COMMAND'),
    MONITOR: refuse('INVALID_COMMAND'),
    PING: (peer, message) => {
      reply(peer, message, 'DATA', message.attributes);
      return 'OK';
    },
    LOOKUP: (peer, message) => {
      const { objpath } = message.attributes;
      if (objpath === '') throw new UbusError('INVALID_ARGUMENT');
      const found = this.#objects.matching(objpath);
      if (objpath !== undefined && found.length === 0) throw new UbusError('NOT_FOUND');
      for (const { path, id, type } of found)
        if (path !== undefined && type !== undefined)
          reply(peer, message, 'DATA', {
            objpath: path,
            objid: id,
            objtype: type.id,
            signature: type.signature,
          });
      return 'OK';
    },
    ADD_OBJECT: (peer, message) => {
      const { objpath, signature, objtype } = message.attributes;
      if (objpath !== undefined && !peer.publisher) throw new UbusError('PERMISSION_DENIED');
      const object = this.#objects.add(peer, objpath, signature, objtype);
      const { id, type } = object;
      const withType = type === undefined ? {} : { objtype: type.id };
      reply(peer, message, 'DATA', { objid: id, ...withType });
      this.#announce('ubus.object.add', object);
      return 'OK';
    },
    REMOVE_OBJECT: (peer, message) => {
      const object = this.#objects.own(peer, message.attributes.objid);
      reply(peer, message, 'DATA', { objid: object.id });
      this.#remove(object);
      return 'OK';
    },
    INVOKE: (peer, message) => this.#invoke(peer, message),
    DATA: (peer, message) => this.#answer(peer, message),
    STATUS: (peer, message) => this.#answer(peer, message),
    SUBSCRIBE: (peer, { attributes: { objid, target } }) => {
      const subscriber = this.#objects.own(peer, objid);
      const object = this.#objects.find(target);
      if (target === undefined || object?.owner === peer) throw new UbusError('INVALID_ARGUMENT');
      if (object === undefined) throw new UbusError('NOT_FOUND');
      subscriber.targets.add(object);
      object.subscribers.add(subscriber);
      if (object.subscribers.size === 1) this.#tellActive(object);
      return 'OK';
    },
    UNSUBSCRIBE: (peer, { attributes: { objid, target } }) => {
      const subscriber = this.#objects.own(peer, objid);
      const object = this.#objects.find(target);
      if (object === undefined || !object.subscribers.has(subscriber))
        throw new UbusError('NOT_FOUND');
      this.#unsubscribe(subscriber, object);
      return 'OK';
    },
    NOTIFY: (peer, message) => this.#notify(peer, message),
  };

  #invoke(peer: Peer, message: Message): Outcome {
    const { objid, method, data } = message.attributes;
    if (method === undefined || objid === undefined) throw new UbusError('INVALID_ARGUMENT');
    const args = () => {
      const table = decodeTable(data ?? new Uint8Array());
      if (table instanceof UbusError) throw new UbusError('INVALID_ARGUMENT');
      return table;
    };
    if (objid === SystemObject.Event) return this.#event(peer, method, args());
    if (objid === SystemObject.Monitor) return this.#monitor(peer, method);
    const object = this.#objects.find(objid);
    if (object === undefined) throw new UbusError('NOT_FOUND');
    this.#forward(peer, message.seq, object, {
      objid,
      method,
      ...(data === undefined ? {} : { data }),
    });
    return undefined;
  }

  /** To the object's owner, who answers by the caller's id and number. */
  #forward(peer: Peer, seq: number, object: BusObject, attributes: Attributes): void {
    const key = keyOf(seq, object);
    if (peer.waiting.has(key)) throw new UbusError('INVALID_COMMAND');
    if (peer.waiting.size >= MAX_WAITING) throw new UbusError('NO_MEMORY');
    peer.waiting.set(key, { seq, object });
    object.owner.send({ type: 'INVOKE', seq, peer: peer.id, attributes });
  }

  #answer(owner: Peer, message: Message): Outcome {
    const object = this.#objects.find(message.attributes.objid);
    if (object?.owner !== owner) return undefined;
    const caller = this.#objects.peer(message.peer);
    const key = keyOf(message.seq, object);
    if (caller === undefined || !caller.waiting.has(key)) return undefined;
    if (message.type === 'STATUS') caller.waiting.delete(key);
    caller.send({ ...message, peer: object.id });
    return undefined;
  }

  #event(peer: Peer, method: string, args: Table): Outcome {
    if (method === 'register') {
      const { object: id, pattern } = args;
      if (typeof id !== 'number' || typeof pattern !== 'string')
        throw new UbusError('INVALID_ARGUMENT');
      this.#objects.listen(this.#objects.own(peer, id >>> 0), pattern);
    } else if (method === 'send') {
      const { id: event, data } = args;
      if (typeof event !== 'string' || !isTable(data)) throw new UbusError('INVALID_ARGUMENT');
      if (!peer.publisher || event.startsWith('ubus.')) throw new UbusError('PERMISSION_DENIED');
      this.#deliver(event, data, peer);
    } else throw new UbusError('INVALID_COMMAND');
    return 'OK';
  }

  #deliver(event: string, table: Table, sender?: Peer): void {
    const data = encodeTable(table);
    for (const { id: objid, owner } of this.#objects.listening(event, sender)) {
      this.#lastEvent = (this.#lastEvent + 1) & 0xffff;
      const attributes = { objid, method: event, data };
      owner.send({ type: 'INVOKE', seq: this.#lastEvent, peer: 0, attributes });
    }
  }

  #notify(peer: Peer, message: Message): Outcome {
    const { objid, method, noReply = false, data } = message.attributes;
    const object = this.#objects.own(peer, objid);
    if (method === undefined) throw new UbusError('INVALID_ARGUMENT');
    const subscribers = [...object.subscribers];
    if (!noReply)
      reply(peer, message, 'STATUS', {
        objid: object.id,
        subscribers: subscribers.map(({ id }) => id),
        status: statusCode('OK'),
      });
    for (const subscriber of subscribers) {
      const attributes = {
        ...(noReply ? { noReply } : {}),
        objid: subscriber.id,
        method,
        ...(data === undefined ? {} : { data }),
      };
      if (!noReply) this.#forward(peer, message.seq, subscriber, attributes);
      else subscriber.owner.send({ type: 'INVOKE', seq: message.seq, peer: peer.id, attributes });
    }
    return undefined;
  }

  #remove(object: BusObject): void {
    this.#objects.remove(object);
    for (const caller of this.#objects.peers())
      for (const [key, { seq, object: asked }] of caller.waiting) {
        if (asked !== object) continue;
        caller.waiting.delete(key);
        const status = statusCode('CONNECTION_FAILED');
        const attributes = { status, objid: object.id };
        caller.send({ type: 'STATUS', seq, peer: object.id, attributes });
      }
    for (const target of object.targets) this.#unsubscribe(object, target);
    for (const subscriber of object.subscribers) {
      subscriber.targets.delete(object);
      this.#tell('UNSUBSCRIBE', subscriber.owner, { objid: subscriber.id, target: object.id });
    }
    this.#announce('ubus.object.remove', object);
  }

  #unsubscribe(subscriber: BusObject, object: BusObject): void {
    subscriber.targets.delete(object);
    object.subscribers.delete(subscriber);
    if (object.subscribers.size === 0) this.#tellActive(object);
  }

  #tellActive({ id: objid, owner, subscribers }: BusObject): void {
    this.#tell('NOTIFY', owner, { objid, active: subscribers.size > 0 });
  }

  #tell(type: MessageType, peer: Peer, attributes: Attributes): void {
    this.#lastNotice = (this.#lastNotice + 1) & 0xffff;
    peer.send({ type, seq: this.#lastNotice, peer: 0, attributes });
  }

  #announce(event: string, { id, path, owner }: BusObject): void {
    if (path !== undefined) this.#deliver(event, { id: id | 0, path }, owner);
  }

  #monitor(peer: Peer, method: string): Outcome {
    if (method === 'add') this.#monitors.set(peer, 0);
    else if (method === 'remove') this.#monitors.delete(peer);
    else throw new UbusError('METHOD_NOT_FOUND');
    return 'OK';
  }

  #show(client: Peer, direction: 'from' | 'to', message: Message): void {
    if (message.type === 'MONITOR') return;
    for (const [monitor, last] of this.#monitors) {
      if (monitor === client) continue;
      const seq = (last + 1) & 0xffff;
      this.#monitors.set(monitor, seq);
      monitor.send(encodeMonitored(client.id, direction, message, seq));
    }
  }
}

function reply(
  peer: Peer,
  to: { seq: number; peer: number },
  type: MessageType,
  attributes: Attributes,
): void {
  peer.send({ type, seq: to.seq, peer: to.peer, attributes });
}

function refuse(status: Status): () => never {
  return () => {
    throw new UbusError(status);
  };
}

function keyOf(seq: number, { id }: BusObject): string {
  return `${seq}:${id}`;
}

function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
