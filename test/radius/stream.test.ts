/** RADIUS over TLS: RFC 6613, RFC 6614. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { RadiusFramer } from '../../src/radius/framer.ts';
import { MAX_SOCKETS } from '../../src/radius/server.ts';
import { SharedSecret } from '../../src/radius/shared-secret.ts';
import { isMalformed } from '../../src/wire/codec.ts';
import { RadiusCode } from '../../src/wire/radius.ts';
import { radiusValue } from '../../src/wire/radius-attributes.ts';
import { accept, login, Network, server, type Asked } from './network.ts';

const secret = new SharedSecret('radsec');
const radsec = (name: string, changes = {}) =>
  server(name, { transport: 'tls', secret, ...changes });
const right = (asked: Asked) => accept(asked, { secret: 'radsec' });
const logins = (count: number) => Array.from({ length: count }, (_, i) => login(`user${i}`));
const userOf = ({ packet }: Asked) => radiusValue(packet.attributes, 'User-Name')?.text ?? '';

function network(...servers: ReturnType<typeof radsec>[]): Network {
  const made = new Network(...servers);
  for (const { name } of servers) made.answers.set(name, right);
  return made;
}

describe('a framer', () => {
  const packet = (length: number) => {
    const octets = new Uint8Array(length).fill(7);
    octets.set([2, 1, length >> 8, length & 0xff]);
    return octets;
  };

  it('cuts a stream the same however it arrives', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 20, max: 4096 }), { maxLength: 5 }),
        fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 10 }),
        (lengths, cuts) => {
          const packets = lengths.map(packet);
          const stream = new Uint8Array(Buffer.concat(packets));
          const framer = new RadiusFramer();
          const found: unknown[] = [];
          for (let at = 0, i = 0; at < stream.length; i++) {
            const end = at + cuts[i % cuts.length]!;
            found.push(...framer.push(stream.subarray(at, end)));
            at = end;
          }
          assert.deepEqual(found, packets);
        },
      ),
    );
  });

  it('ends a stream whose next length cannot be', () => {
    for (const length of [0, 19, 4097, 65535]) {
      const wrong = new Uint8Array(30);
      wrong.set([2, 1, length >> 8, length & 0xff]);
      const [first, last, ...more] = new RadiusFramer().push(Buffer.concat([packet(20), wrong]));
      assert.deepEqual(first, packet(20));
      assert.ok(isMalformed(last));
      assert.deepEqual(more, []);
    }
  });
});

describe('over a stream', () => {
  it('requests wait for the connection, which is kept', () => {
    const one = network(radsec('one'));
    one.request(login('anna'));
    one.advance(5);
    assert.equal(one.asked.length, 0);
    one.advance(100);
    one.request(login('ben'));
    one.advance(100);
    assert.deepEqual(one.outcomes(), ['anna: one 2', 'ben: one 2']);
    one.advance(3_600_000);
    assert.equal(one.sockets.size, 1);
    assert.equal(one.outputs.filter(({ kind }) => kind === 'open').length, 1);
    assert.equal(radiusValue(one.asked[0]!.packet.attributes, 'Message-Authenticator')?.length, 16);
  });

  it('answers come in pieces and several in one', () => {
    const one = network(radsec('one'));
    one.answers.clear();
    one.request(...logins(20));
    one.advance(50);
    const stream = Buffer.concat(one.asked.map(right));
    for (let at = 0; at < stream.length; at += 33) one.deliver(1, stream.subarray(at, at + 33));
    assert.equal(one.answered().length, 20);
  });

  it('a stream out of step is closed, and its requests go over another one', () => {
    const one = network(radsec('one'));
    one.answers.set('one', () => undefined);
    one.request(login('anna'));
    one.advance(50);
    one.answers.set('one', right);
    one.deliver(1, Uint8Array.of(2, 1, 0, 3, 9));
    one.advance(50);
    assert.deepEqual(one.outcomes(), ['anna: one 2']);
    assert.deepEqual([...one.sockets.keys()], [2]);
    assert.equal(one.count('malformed'), 1);
  });

  it('a connection that ends takes no request with it', () => {
    const one = network(radsec('one'));
    one.request(login('first'));
    one.advance(100);
    one.answers.set('one', () => undefined);
    one.request(...logins(100));
    one.advance(50);
    one.answers.set('one', right);
    one.breakOff(1, 'closed');
    one.advance(100);
    assert.equal(new Set(one.answered()).size, 101);
    assert.equal(one.count('died'), 0);
  });

  it('an idle connection that ends is opened again when it is needed', () => {
    const one = network(radsec('one'));
    one.request(login('anna'));
    one.advance(100);
    one.breakOff(1, 'closed');
    one.advance(60_000);
    assert.equal(one.sockets.size, 0);
    one.request(login('ben'));
    one.advance(100);
    assert.deepEqual(one.outcomes(), ['anna: one 2', 'ben: one 2']);
  });

  it('nothing is sent twice: a connection that is silent is given up for another one', () => {
    const one = network(radsec('one', { tries: 3 }));
    one.answers.set('one', ({ socket, ...asked }) =>
      socket < 3 ? undefined : right({ socket, ...asked }),
    );
    one.request(login('anna'));
    one.advance(10_000);
    assert.deepEqual(one.outcomes(), ['anna: one 2']);
    assert.deepEqual(
      one.asked.map(({ socket }) => socket),
      [1, 2, 3],
    );
    assert.equal(one.count('sent-again'), 0);
    assert.deepEqual([...one.sockets.keys()], [3]);
  });

  it('a request that alone is ignored does not cost the others their connection', () => {
    const one = network(radsec('one'), radsec('two', { priority: 1 }));
    one.answers.set('one', (asked) => (userOf(asked) === 'anna' ? undefined : right(asked)));
    one.request(login('anna'));
    for (const name of ['ben', 'carl', 'dora']) {
      one.advance(500);
      one.request(login(name));
      one.advance(1500);
    }
    one.advance(5000);
    assert.deepEqual(one.outcomes(), ['ben: one 2', 'carl: one 2', 'dora: one 2', 'anna: two 2']);
    assert.equal(one.asked.filter((asked) => userOf(asked) === 'anna').length, 2);
    assert.equal(one.sockets.size, 2);
  });

  it('a server that cannot be reached is not asked again for its dead time; Status-Server finds it again', () => {
    const one = network(radsec('one'), radsec('two', { priority: 1 }));
    one.refusing.add('one');
    one.request(login('anna'));
    one.advance(100);
    assert.deepEqual(one.outcomes(), ['anna: two 2']);
    const dead = one.outputs.find(({ kind }) => kind === 'server-dead');
    assert.ok(dead?.kind === 'server-dead');
    assert.deepEqual(dead.cause, { code: 'RADIUS_UNREACHABLE', detail: 'one: ECONNREFUSED' });
    const opened = () =>
      one.outputs.filter((output) => output.kind === 'open' && output.server.name === 'one').length;
    assert.equal(opened(), 1);
    one.request(login('ben'));
    one.advance(100);
    assert.equal(opened(), 1);
    one.refusing.clear();
    one.advance(6000);
    assert.equal(one.client.status()[0]!.state, 'alive');
    assert.equal(
      one.asked.filter(({ packet }) => packet.code === RadiusCode.StatusServer).length,
      1,
    );
    one.request(login('carl'));
    one.advance(100);
    assert.deepEqual(one.outcomes().slice(1), ['ben: two 2', 'carl: one 2']);
  });

  it('says why no server could be reached', () => {
    const one = network(radsec('one'));
    one.refusing.add('one');
    one.request(login('anna'));
    one.advance(100);
    assert.deepEqual(one.outcomes(), ['anna: RADIUS_UNREACHABLE one: ECONNREFUSED']);
  });

  it('further connections are opened when 256 requests wait, and no more than allowed', () => {
    const one = network(radsec('one', { timeout: 10_000 }));
    one.answers.set('one', () => undefined);
    const count = 256 * MAX_SOCKETS.tls + 10;
    one.request(...logins(count));
    one.advance(100);
    assert.equal(one.sockets.size, MAX_SOCKETS.tls);
    one.answers.set('one', right);
    for (const asked of [...one.asked]) one.deliver(asked.socket, right(asked));
    one.advance(100);
    assert.equal(new Set(one.answered()).size, count);
    one.advance(3_600_000);
    assert.equal(one.sockets.size, 1);
  });
});
