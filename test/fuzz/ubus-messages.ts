/** Messages of a bus, and the tables in them, right or nearly so. */
import { encodeTable, type Table, type Value } from '../../src/ubus-js/blobmsg.ts';
import { encodeMessage, type Attributes, type MessageType } from '../../src/ubus-js/message.ts';
import type { Random } from './random.ts';

export const messageTypes: readonly MessageType[] = [
  'HELLO', 'STATUS', 'DATA', 'PING', 'LOOKUP', 'INVOKE', 'ADD_OBJECT', 'REMOVE_OBJECT', 'SUBSCRIBE', 'UNSUBSCRIBE', 'NOTIFY', 'MONITOR',
]; // prettier-ignore

const names = [
  '',
  'id',
  'data',
  'object',
  'pattern',
  'interface',
  'path',
  '__proto__',
  'constructor',
  'ubus_rpc_session',
  'ä',
  '💥',
];
const paths = [
  'pptp',
  'pptp.',
  'network',
  'network.interface.lan',
  '*',
  'p*',
  '',
  'session',
  'a',
  'b',
  'c',
];
const events = ['ubus.object.add', 'network.interface', 'x', '*', 'x*'];

function value(random: Random, depth: number): Value {
  switch (random.below(depth > 4 ? 7 : 9)) {
    case 0:
      return random.chance(2);
    case 1:
      return random.edgy(0x1_0000_0000) | 0;
    case 2:
      return random.edgy(0x1_0000_0000) * (random.chance(2) ? 1 : 2 ** 21);
    case 3:
      return random.u32() / 7;
    case 4:
      return random.pick([...names, ...paths]);
    case 5:
      return null;
    case 6:
      return BigInt(random.u32()) << 31n;
    case 7:
      return random.list(4, () => value(random, depth + 1));
    default:
      return table(random, depth + 1);
  }
}

export function table(random: Random, depth = 0): Table {
  return Object.fromEntries(random.list(4, () => [random.pick(names), value(random, depth)]));
}

export function blobmsg(random: Random): Uint8Array {
  if (!random.chance(20)) return encodeTable(table(random));
  // Deeper than is read.
  let deep: Value = 1;
  for (let depth = random.below(40); depth > 0; depth--)
    deep = random.chance(2) ? [deep] : { a: deep };
  try {
    return encodeTable({ deep });
  } catch {
    return new Uint8Array();
  }
}

/** Attributes of a message; ids are of `ids`, or anybody's. */
export function attributes(random: Random, ids: readonly number[] = []): Attributes {
  const id = () =>
    ids.length > 0 && !random.chance(6)
      ? random.pick(ids)
      : random.pick([0, 1, 2, 3, random.u32()]);
  const some = <T>(make: () => T): T | undefined => (random.chance(2) ? make() : undefined);
  const all: { [K in keyof Attributes]: Attributes[K] | undefined } = {
    status: some(() => random.below(16)),
    objpath: some(() => random.pick(paths)),
    objid: some(id),
    method: some(() =>
      random.pick([
        'status',
        'dial',
        'register',
        'send',
        'add',
        'remove',
        'nothing',
        '__proto__',
        'toString',
      ]),
    ),
    objtype: some(id),
    signature: some(() => blobmsg(random)),
    data: some(() =>
      random.chance(3)
        ? encodeTable({
            object: id() | 0,
            pattern: random.pick(events),
            id: random.pick(events),
            data: {},
          })
        : random.chance(4)
          ? random.damaged(blobmsg(random))
          : blobmsg(random),
    ),
    target: some(id),
    active: some(() => random.chance(2)),
    noReply: some(() => random.chance(2)),
    subscribers: some(() => random.list(3, id)),
    user: some(() => 'root'),
    group: some(() => 'nobody'),
  };
  return Object.fromEntries(Object.entries(all).filter(([, each]) => each !== undefined));
}

export function ubusMessage(random: Random): Uint8Array {
  const type = random.pick(messageTypes);
  const { data = new Uint8Array() } = attributes(random);
  const given =
    type === 'MONITOR'
      ? {
          client: 1,
          monitorPeer: 2,
          send: true,
          monitorSeq: 3,
          monitorType: random.below(13),
          monitorData: data,
        }
      : attributes(random);
  return encodeMessage({ type, seq: random.below(0x10000), peer: random.u32(), attributes: given });
}

/** What netifd answers to `network.interface dump`, with values of other kinds among the right ones. */
export function interfaceDump(random: Random): Uint8Array {
  const or = (right: Value): Value => (random.chance(8) ? value(random, 3) : right);
  const one = (): Value => ({
    interface: or(random.pick(['lan', 'wan', 'office', '__proto__'])),
    proto: or(random.pick(['static', 'pptpgw', 'pptpserver'])),
    up: or(random.chance(2)),
    pending: or(random.chance(2)),
    l3_device: or('br-lan'),
    metric: or(random.below(100)),
    errors: or([or({ code: or('AUTH_TOPEER_FAILED') })]),
    data: or({ zone: or('vpn') }),
    'ipv4-address': or([or({ address: or('192.168.1.1'), mask: or(random.below(40)) })]),
    route: or([or({ target: or('0.0.0.0'), mask: or(0), metric: or(7) })]),
  });
  return encodeTable({ interface: or(random.list(3, one)) });
}
