/**
 * A bus with a provider and a caller who mind their own business, and peers that send any message: the call is answered, the
 * event heard, and what strangers registered goes with them.
 */
import assert from 'node:assert/strict';
import { Broker } from '../../../src/ubus-js/broker.ts';
import type { Peer } from '../../../src/ubus-js/bus-objects.ts';
import { Endpoint } from '../../../src/ubus-js/endpoint.ts';
import {
  decodeMessage,
  encodeMessage,
  MalformedMessage,
  type Message,
  type MessageType,
} from '../../../src/ubus-js/message.ts';
import { method } from '../../../src/ubus-js/objects.ts';
import { UbusError } from '../../../src/ubus-js/status.ts';
import { harness } from '../harness.ts';
import { attributes, messageTypes, ubusMessage } from '../ubus-messages.ts';
import { Random } from '../random.ts';

const STRANGERS = 3;
/** What a peer that does not read may be sent before somebody closes it is channel.ts's business. */
const LARGEST = 1 << 20;

export const bus = harness({
  name: 'bus',
  slow: true,
  // The ids are the bus's choice, so the attributes are drawn when they are known.
  generate: (random) => ({
    messages: random.list(40, () => ({
      who: random.below(STRANGERS),
      type: random.below(messageTypes.length),
      seed: random.u32(),
      seq: random.below(8),
    })),
    raw: random.list(6, () => random.damaged(ubusMessage(random))),
  }),
  async run({ messages, raw }) {
    const broker = new Broker();
    const provider = new End(broker, true);
    const caller = new End(broker, false);
    const heard: string[] = [];
    provider.add({
      path: 'pptp',
      methods: { echo: method({ text: 'string' }, ({ text }) => ({ text })) },
    });
    caller.listen('good', (name) => heard.push(name));
    await settled();

    const ids: number[] = [];
    const strangers: { peer: Peer; count: number }[] = Array.from({ length: STRANGERS }, (_, n) => {
      const stranger = { count: 0 } as { peer: Peer; count: number };
      stranger.peer = broker.connect(n === 0, (message) => {
        stranger.count++;
        assert.ok(encodeMessage(message).length <= LARGEST + 8);
        const { objid, target } = message.attributes;
        for (const id of [objid, target]) if (id !== undefined && ids.length < 64) ids.push(id);
      });
      return stranger;
    });
    for (const { who, type, seed, seq } of messages) {
      const random = new Random(seed);
      const name = messageTypes[type % messageTypes.length]!;
      const message: Message = {
        type: name,
        seq,
        peer: random.chance(2) ? (ids[0] ?? 0) : random.u32(),
        attributes: attributesOf(random, name, ids),
      };
      const { peer } = strangers[who % STRANGERS]!;
      broker.receive(peer, message);
      assert.ok(peer.objects.size <= 256 && peer.waiting.size <= 256);
    }
    for (const octets of raw) {
      if (octets.length < 12) continue;
      const read = decodeMessage(octets);
      broker.receive(strangers[0]!.peer, read);
      // As an answer to those who asked nothing of it.
      caller.take(read);
      provider.take(read);
    }
    const answer = await caller.call('pptp', 'echo', { text: 'x' });
    assert.deepEqual(answer, { text: 'x' });
    await provider.send('good', {});
    await settled();
    assert.ok(heard.includes('good'));
    const most = messages.length * (messages.length + 4) * 8 + 400;
    for (const { peer, count } of strangers) {
      assert.ok(count <= most, `${count} messages for ${messages.length}`);
      broker.disconnect(peer);
      assert.equal(peer.objects.size, 0);
    }
    const found = await caller.lookup('*');
    assert.deepEqual(
      found.map(({ path }) => path),
      ['pptp'],
    );
    for (const end of [provider, caller]) end.close();
  },
});

function attributesOf(
  random: Random,
  type: MessageType,
  ids: readonly number[],
): Message['attributes'] {
  const found = attributes(random, [...ids, 1, 3]);
  // A stranger may have taken the good provider's path before it: that is refused to nobody. Here it was first.
  return type === 'ADD_OBJECT' && found.objpath === 'pptp' ? { ...found, objpath: 'other' } : found;
}

/** One who keeps to the rules, without a socket. */
class End extends Endpoint {
  private readonly broker: Broker;
  private readonly peer: Peer;

  constructor(broker: Broker, publisher: boolean) {
    super({});
    this.broker = broker;
    this.peer = broker.connect(publisher, (message) =>
      queueMicrotask(() => this.receive(reread(message))),
    );
    this.attach((message) => broker.receive(this.peer, reread(message)));
  }

  take(message: Message | MalformedMessage): void {
    this.receive(message);
  }

  close(): void {
    this.broker.disconnect(this.peer);
    this.detach();
  }
}

/** Over the wire and back. */
function reread(message: Message): Message {
  const read = decodeMessage(encodeMessage(message));
  if (read instanceof UbusError) throw read;
  return read;
}

/** What was begun goes on in microtasks only. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 30; turn++) await Promise.resolve();
}
