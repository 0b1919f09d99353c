import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MAX_WAITING } from '../../src/radius/client.ts';
import { IDLE_TIME, MAX_SOCKETS } from '../../src/radius/server.ts';
import { SharedSecret } from '../../src/radius/shared-secret.ts';
import { cause } from '../../src/wire/cause.ts';
import { RadiusCode } from '../../src/wire/radius.ts';
import { radiusValue } from '../../src/wire/radius-attributes.ts';
import { textOf } from '../../src/wire/text.ts';
import { accept, login, Network, server, type Asked } from './network.ts';
import { unsigned } from './unsigned.ts';

const silent = () => undefined;
const logins = (count: number) => Array.from({ length: count }, (_, i) => login(`user${i}`));
const userOf = ({ packet }: Asked) => radiusValue(packet.attributes, 'User-Name')?.text ?? '';

describe('a request', () => {
  it('is answered by the server that it goes to', () => {
    const network = new Network(server('one'));
    network.request(login('anna'));
    network.advance(100);
    assert.deepEqual(network.outcomes(), ['anna: one 2']);
    assert.equal(network.asked.length, 1);
    assert.equal(network.client.status()[0]!.roundTrip, 10);
    assert.equal(network.client.status()[0]!.state, 'alive');
  });

  it('is sent again, the same octets, at intervals that about double (RFC 5080 §2.2.1)', () => {
    const network = new Network(server('one', { tries: 5 }));
    network.answers.set('one', (asked) => (network.asked.length < 4 ? undefined : accept(asked)));
    network.answers.set('one', (asked) =>
      network.asked.filter((other) => userOf(other) === 'anna').length < 4
        ? undefined
        : accept(asked),
    );
    network.request(login('anna'));
    network.advance(20_000);
    const asked = network.asked.filter((one) => userOf(one) === 'anna');
    assert.equal(asked.length, 4);
    for (const { octets, socket } of asked) {
      assert.deepEqual(octets, asked[0]!.octets);
      assert.equal(socket, asked[0]!.socket);
    }
    const intervals = asked.slice(1).map(({ at }, i) => at - asked[i]!.at);
    [1000, 2000, 4000].forEach((about, i) => {
      assert.ok(Math.abs(intervals[i]! - about) <= about * 0.3, String(intervals));
    });
    assert.deepEqual(network.outcomes(), ['anna: one 2']);
    assert.equal(network.client.status()[0]!.roundTrip, undefined);
  });

  it('does not ask again at one moment with all others', () => {
    const network = new Network(server('one', { tries: 2 }));
    network.answers.set('one', silent);
    network.request(...logins(50));
    network.advance(1500);
    const again = network.asked.slice(50).filter((one) => userOf(one).startsWith('user'));
    assert.ok(new Set(again.map(({ at }) => at)).size > 20);
  });

  it('fails when nobody answers, and says who was asked', () => {
    const network = new Network(server('one'), server('two', { priority: 1 }));
    network.answers.clear();
    network.request(login('anna'));
    network.advance(60_000);
    assert.deepEqual(network.outcomes(), ['anna: RADIUS_NO_ANSWER one, two']);
    assert.equal(network.count('no-answer'), 2);
  });

  it('fails when its answer is of no use any more', () => {
    const network = new Network(server('one'), server('two', { priority: 1 }));
    network.answers.clear();
    network.request(login('anna', { within: 2500 }));
    network.advance(2499);
    assert.deepEqual(network.outcomes(), []);
    network.advance(1);
    assert.deepEqual(network.outcomes(), ['anna: RADIUS_NO_ANSWER one']);
  });

  it('says what the system reports', () => {
    const network = new Network(server('one'));
    network.answers.clear();
    network.request(login('anna'));
    network.advance(100);
    network.client.handleTrouble(network.asked[0]!.socket, 'ECONNREFUSED');
    network.advance(30_000);
    assert.deepEqual(network.outcomes(), ['anna: RADIUS_UNREACHABLE one: ECONNREFUSED']);
  });

  it('fails at once where there is no server, or not the one that it wants', () => {
    const network = new Network();
    network.request(login('anna'));
    assert.deepEqual(network.outcomes(), ['anna: RADIUS_UNREACHABLE no server is configured']);
    network.client.configure([server('one')], network.clock.now);
    network.request(login('ben', { server: 'two' }));
    assert.deepEqual(network.outcomes().slice(1), ['ben: RADIUS_UNREACHABLE two']);
  });

  it('that is abandoned is never heard of again', () => {
    const network = new Network(server('one'));
    const request = login('anna');
    network.request(request);
    network.advance(1);
    network.client.abandon(request, network.clock.now);
    network.client.abandon(request, network.clock.now);
    network.advance(30_000);
    assert.deepEqual(network.outcomes(), []);
    assert.equal(network.count('late'), 1);
    assert.equal(network.client.status()[0]!.waiting, 0);
  });

  it('of Status-Server is answered as one', () => {
    const network = new Network(server('one'));
    network.request({
      ...login('status'),
      code: RadiusCode.StatusServer,
      attributes: [],
      server: 'one',
    });
    network.advance(100);
    assert.deepEqual(network.outcomes(), ['status: one 2']);
  });

  it('of accounting says how old it is, each time anew (RFC 2866 §5.2)', () => {
    const network = new Network(server('one', { tries: 4 }));
    network.answers.set('one', (asked) => (network.asked.length === 3 ? accept(asked) : undefined));
    const happened = network.clock.now - 10_000;
    network.request({
      name: 'stop',
      code: RadiusCode.AccountingRequest,
      attributes: [{ name: 'Acct-Session-Id', value: textOf('x') }],
      happened,
    });
    network.advance(30_000);
    const { asked } = network;
    const delays = asked.map(({ packet }) => radiusValue(packet.attributes, 'Acct-Delay-Time'));
    assert.equal(delays[0], 10);
    asked.forEach(({ at }, i) => {
      assert.equal(delays[i], Math.floor((at - 5 - happened) / 1000));
    });
    assert.equal(new Set(asked.map(({ packet }) => packet.identifier)).size, 3);
    assert.deepEqual(network.outcomes(), ['stop: one 5']);
    assert.equal(network.client.status()[0]!.waiting, 0);
  });
});

describe('answers', () => {
  const withAnswer = (answer: (asked: Asked) => Uint8Array, changes = {}) => {
    const network = new Network(server('one', { tries: 1, ...changes }));
    network.answers.set('one', answer);
    network.request(login('anna'));
    network.advance(3000);
    return network;
  };

  it('that do not verify change nothing: the true one counts, however many they are', () => {
    const network = new Network(server('one'));
    network.answers.set('one', (asked) => {
      for (let i = 0; i < 1000; i++)
        network.deliver(asked.socket, accept(asked, { secret: 'guess' }));
      const forged = accept(asked);
      forged[forged.length - 1]! ^= 1;
      network.deliver(asked.socket, forged);
      network.deliver(asked.socket, forged.subarray(0, 22));
      network.deliver(asked.socket, new Uint8Array(3));
      return accept(asked);
    });
    network.request(login('anna'));
    network.advance(100);
    assert.deepEqual(network.outcomes(), ['anna: one 2']);
    assert.equal(network.count('bad-authenticator'), 1001);
    assert.equal(network.count('malformed'), 2);
  });

  it('that never verify mean a wrong secret', () => {
    const network = withAnswer((asked) => accept(asked, { secret: 'testing124' }));
    assert.deepEqual(network.outcomes(), ['anna: RADIUS_WRONG_SECRET one']);
    assert.equal(network.client.status()[0]!.isDistrusted, true);
  });

  it('that a server gives only to requests that it cannot check tell a wrong secret, too', () => {
    // As FreeRADIUS: a wrong Message-Authenticator is met with silence, a wrong password with a refusal.
    const network = new Network(server('one', { tries: 2 }));
    network.answers.set('one', (asked) =>
      radiusValue(asked.packet.attributes, 'Message-Authenticator') === undefined
        ? accept(asked, { secret: 'another', code: RadiusCode.AccessReject })
        : undefined,
    );
    network.request(login('anna'), login('ben'));
    network.advance(10_000);
    assert.deepEqual(network.outcomes().sort(), [
      'anna: RADIUS_WRONG_SECRET one',
      'ben: RADIUS_WRONG_SECRET one',
    ]);
    const checks = network.asked.filter((one) => userOf(one) === 'pptp-gateway-secret-check');
    assert.equal(checks.length, 1);
    assert.ok(!network.answered().includes('pptp-gateway-secret-check'));
  });

  it('of another kind than the request has do not count', () => {
    for (const code of [
      RadiusCode.AccountingResponse,
      RadiusCode.CoaAck,
      RadiusCode.AccessRequest,
      99,
    ]) {
      const network = withAnswer((asked) => accept(asked, { code }));
      assert.deepEqual(network.outcomes(), ['anna: RADIUS_NO_ANSWER one']);
      assert.equal(network.count('unexpected-code'), 1);
    }
  });

  it('may be refusals and challenges', () => {
    for (const code of [RadiusCode.AccessReject, RadiusCode.AccessChallenge]) {
      const network = withAnswer((asked) => accept(asked, { code }));
      assert.deepEqual(network.outcomes(), [`anna: one ${code}`]);
    }
  });

  it('with a Message-Authenticator that is wrong do not count', () => {
    const network = withAnswer(({ packet }) =>
      unsigned({
        ...packet,
        code: 2,
        attributes: [{ name: 'Message-Authenticator', value: new Uint8Array(16) }],
      }),
    );
    assert.deepEqual(network.outcomes(), ['anna: RADIUS_WRONG_SECRET one']);
    assert.equal(network.count('bad-message-authenticator'), 1);
  });

  const bare = ({ packet }: Asked) => unsigned({ ...packet, code: 2, attributes: [] });

  it('need a Message-Authenticator: always', () => {
    const network = withAnswer(bare, { messageAuthenticator: 'always' });
    assert.deepEqual(network.outcomes(), ['anna: RADIUS_UNSIGNED one']);
    assert.equal(network.count('no-message-authenticator'), 1);
  });

  it('need a Message-Authenticator: never', () => {
    const network = withAnswer(bare, { messageAuthenticator: 'never' });
    network.answers.set('one', accept);
    network.request(login('ben'));
    network.advance(100);
    network.answers.set('one', bare);
    network.request(login('carl'));
    network.advance(10_000);
    assert.deepEqual(network.outcomes(), ['anna: one 2', 'ben: one 2', 'carl: one 2']);
  });

  it('need a Message-Authenticator: once the server has sent one (auto)', () => {
    const network = withAnswer(bare);
    network.answers.set('one', accept);
    network.request(login('ben'));
    network.advance(100);
    network.answers.set('one', bare);
    network.request(login('carl'));
    network.advance(10_000);
    assert.deepEqual(network.outcomes(), [
      'anna: one 2',
      'ben: one 2',
      'carl: RADIUS_UNSIGNED one',
    ]);
    // Another secret is another server, perhaps.
    network.client.configure(
      [server('one', { tries: 1, secret: new SharedSecret('new') })],
      network.clock.now,
    );
    network.answers.set('one', ({ packet }) =>
      unsigned({ ...packet, code: 2, attributes: [] }, 'new'),
    );
    network.request(login('dora'));
    network.advance(10_000);
    assert.equal(network.outcomes()[3], 'dora: one 2');
  });

  it('with EAP always need a Message-Authenticator (RFC 3579 §3.2)', () => {
    const network = withAnswer(
      ({ packet }) =>
        unsigned({
          ...packet,
          code: 11,
          attributes: [{ name: 'EAP-Message', value: Uint8Array.of(1, 2, 0, 5, 1) }],
        }),
      { messageAuthenticator: 'never' },
    );
    assert.deepEqual(network.outcomes(), ['anna: RADIUS_UNSIGNED one']);
  });

  it('to EAP tell nothing of others (auto), and let nobody in unsigned without EAP either', () => {
    const message = { name: 'EAP-Message', value: Uint8Array.of(2, 0, 0, 5, 1) } as const;
    const network = new Network(server('one', { tries: 1 }));
    network.answers.set('one', (asked) => accept(asked, { attributes: [message] }));
    network.request({ ...login('anna'), attributes: [message] });
    network.advance(100);
    network.answers.set('one', bare);
    network.request(login('ben'));
    network.advance(10_000);
    network.request({ ...login('carl'), attributes: [message] });
    network.advance(10_000);
    assert.deepEqual(network.outcomes(), [
      'anna: one 2',
      'ben: one 2',
      'carl: RADIUS_UNSIGNED one',
    ]);
  });

  it('that come twice, late, or to nobody are counted as that', () => {
    const network = new Network(server('one'));
    let last: Asked | undefined;
    network.answers.set('one', (asked) => {
      last = asked;
      return accept(asked);
    });
    network.request(login('anna'));
    network.advance(100);
    network.deliver(last!.socket, accept(last!));
    assert.equal(network.count('duplicate'), 1);
    network.answers.set('one', (asked) => void (last = asked));
    network.request(login('ben', { within: 500 }));
    network.advance(600);
    network.deliver(last!.socket, accept(last!));
    assert.equal(network.count('late'), 1);
    network.deliver(last!.socket, accept(last!, { secret: 'x' }));
    assert.equal(network.count('unasked'), 1);
    const never = {
      ...last!,
      packet: { ...last!.packet, identifier: (last!.packet.identifier + 99) & 255 },
    };
    network.deliver(last!.socket, accept(never));
    assert.equal(network.count('unasked'), 2);
    assert.deepEqual(network.outcomes(), ['anna: one 2', 'ben: RADIUS_NO_ANSWER one']);
  });

  it('to a former use of an identifier are no sign of a wrong secret', () => {
    const network = new Network(server('one', { tries: 1 }));
    network.answers.set('one', silent);
    network.request(login('anna', { within: 100 }));
    network.advance(200);
    const first = network.asked[0]!;
    // All other identifiers once, then the first one again.
    do {
      network.advance(20);
      network.request(login('somebody', { within: 20 }));
      network.advance(10);
    } while (network.asked.at(-1)!.packet.identifier !== first.packet.identifier);
    assert.ok(network.asked.length > 256);
    network.deliver(first.socket, accept(first));
    assert.equal(network.count('late'), 1);
    assert.equal(network.count('bad-authenticator'), 0);
  });

  it('count only from the server and the socket that were asked', () => {
    const network = new Network(server('one'), server('two'));
    network.answers.clear();
    network.request(...logins(20));
    network.advance(50);
    const one = network.asked.find(({ server: name }) => name === 'one')!;
    const two = network.asked.find(({ server: name }) => name === 'two')!;
    network.deliver(two.socket, accept(one));
    assert.deepEqual(network.outcomes(), []);
    network.deliver(one.socket, accept(one));
    assert.deepEqual(network.answered(), [userOf(one)]);
    network.client.handleOctets(999, accept(two), network.clock.now);
    assert.deepEqual(network.answered(), [userOf(one)]);
  });

  it('after the turn of a server count, too, and bring it back', () => {
    const network = new Network(server('one', { tries: 1 }), server('two', { priority: 1 }));
    network.answers.clear();
    network.request(login('anna'));
    network.advance(1500);
    assert.equal(network.asked.length, 2);
    assert.equal(network.client.status()[0]!.state, 'dead');
    network.deliver(network.asked[0]!.socket, accept(network.asked[0]!));
    assert.deepEqual(network.outcomes(), ['anna: one 2']);
    assert.equal(network.client.status()[0]!.state, 'alive');
    network.deliver(network.asked[1]!.socket, accept(network.asked[1]!));
    assert.equal(network.count('duplicate'), 1);
  });
});

describe('a group of servers', () => {
  it('is asked by priority, and by weight within one', () => {
    const network = new Network(
      server('one', { weight: 3 }),
      server('two', { weight: 1 }),
      server('spare', { priority: 1 }),
    );
    network.request(...logins(400));
    network.advance(100);
    const share = (name: string) => network.asked.filter((asked) => asked.server === name).length;
    assert.equal(share('spare'), 0);
    assert.ok(Math.abs(share('one') - 300) < 40, `${share('one')} of 400`);
    assert.equal(new Set(network.answered()).size, 400);
  });

  it('goes on without one that is silent, which is left in peace for its dead time', () => {
    const network = new Network(server('one', { tries: 2 }), server('two', { priority: 1 }));
    network.answers.set('one', silent);
    network.request(login('anna'));
    network.advance(10_000);
    assert.deepEqual(network.outcomes(), ['anna: two 2']);
    const dead = network.outputs.find(({ kind }) => kind === 'server-dead');
    assert.deepEqual(dead, {
      kind: 'server-dead',
      server: 'one',
      cause: cause('RADIUS_NO_ANSWER', 'one'),
    });
    const asked = () =>
      network.asked.filter(
        (one) => one.server === 'one' && userOf(one) !== '' && !userOf(one).includes('check'),
      ).length;
    assert.equal(asked(), 2);
    network.request(login('ben'));
    network.advance(10_000);
    assert.equal(asked(), 2);
    // It does not know Status-Server: its dead time ends by itself.
    network.advance(60_000);
    network.answers.set('one', accept);
    network.request(login('carl'));
    network.advance(100);
    assert.deepEqual(network.outcomes(), ['anna: two 2', 'ben: two 2', 'carl: one 2']);
  });

  it('takes back one that answers Status-Server (RFC 5997), and not before', () => {
    const network = new Network(server('one', { tries: 1 }), server('two', { priority: 1 }));
    const statusOnly = (asked: Asked) =>
      asked.packet.code === RadiusCode.StatusServer ? accept(asked) : undefined;
    network.answers.set('one', silent);
    network.request(login('anna'));
    network.advance(4000);
    assert.equal(network.client.status()[0]!.state, 'dead');
    network.answers.set('one', statusOnly);
    network.advance(8000);
    assert.equal(network.client.status()[0]!.state, 'alive');
    assert.ok(network.outputs.some(({ kind }) => kind === 'server-alive'));
    assert.equal(network.count('revived'), 1);
    // Now it is known to answer: silence holds it back beyond its dead time.
    network.answers.set('one', silent);
    network.request(login('ben'));
    network.advance(200_000);
    assert.equal(network.client.status()[0]!.state, 'dead');
    assert.equal(network.outputs.filter(({ kind }) => kind === 'server-dead').length, 2);
    network.answers.set('one', accept);
    network.advance(6000);
    assert.equal(network.client.status()[0]!.state, 'alive');
  });

  it('is asked all the same where all are dead', () => {
    const network = new Network(server('one', { tries: 1 }));
    network.answers.clear();
    network.request(login('anna'));
    network.advance(2000);
    assert.equal(network.client.status()[0]!.state, 'dead');
    network.answers.set('one', accept);
    network.request(login('ben'));
    network.advance(100);
    assert.deepEqual(network.outcomes(), ['anna: RADIUS_NO_ANSWER one', 'ben: one 2']);
  });

  it('does not bury one that answers others', () => {
    const network = new Network(server('one', { tries: 2 }));
    network.answers.set('one', (asked) => (userOf(asked) === 'anna' ? undefined : accept(asked)));
    network.request(login('anna'));
    for (let i = 0; i < 8; i++) {
      network.advance(500);
      network.request(login(`user${i}`));
    }
    network.advance(100);
    assert.ok(network.outcomes().includes('anna: RADIUS_NO_ANSWER one'));
    assert.equal(network.client.status()[0]!.state, 'alive');
    assert.equal(network.count('died'), 0);
  });
});

describe('many at once', () => {
  it('1,000 logins never mix: 256 a socket, further sockets on demand', () => {
    const network = new Network(server('one'));
    const asked = new Set<string>();
    network.answers.set('one', (one) => {
      const key = `${one.socket} ${one.packet.identifier}`;
      assert.ok(!asked.has(key), 'an identifier is used twice');
      asked.add(key);
      return undefined;
    });
    network.request(...logins(1000));
    network.advance(50);
    assert.equal(network.sockets.size, 4);
    // Answered backwards, some twice, with what does not verify in between.
    for (const one of [...network.asked].reverse()) {
      network.deliver(one.socket, accept(one, { secret: 'x' }));
      network.deliver(one.socket, accept(one));
      if (one.packet.identifier % 3 === 0) network.deliver(one.socket, accept(one));
    }
    const outputs = network.outputs.filter(({ kind }) => kind === 'answered');
    assert.equal(outputs.length, 1000);
    for (const output of outputs)
      if (output.kind === 'answered')
        assert.equal(radiusValue(output.answer.attributes, 'User-Name')?.text, output.request.name);
    assert.equal(network.client.status()[0]!.waiting, 0);
  });

  it('those that find no identifier wait in their order, and fail when they have waited too long', () => {
    const network = new Network(server('one', { tries: 1, timeout: 10_000 }));
    network.answers.set('one', silent);
    const room = MAX_SOCKETS.udp * 256;
    network.request(...logins(room));
    const late = Array.from({ length: MAX_WAITING + 1 }, (_, i) =>
      login(`late${i}`, { within: 3000 }),
    );
    network.request(...late);
    assert.deepEqual(network.outcomes(), [`late${MAX_WAITING}: RADIUS_BUSY`]);
    network.advance(50);
    assert.equal(network.sockets.size, MAX_SOCKETS.udp);
    assert.equal(network.asked.length, room);
    for (const one of network.asked.slice(0, 10)) network.deliver(one.socket, accept(one));
    network.advance(50);
    assert.deepEqual(
      network.asked.slice(room).map(userOf),
      Array.from({ length: 10 }, (_, i) => `late${i}`),
    );
    network.advance(3000);
    const busy = network.outcomes().filter((outcome) => outcome.endsWith('RADIUS_BUSY'));
    assert.equal(busy.length, 1 + MAX_WAITING - 10);
    network.advance(60_000);
    assert.equal(network.outcomes().length, room + MAX_WAITING + 1);
    network.advance(IDLE_TIME + 1);
    assert.equal(network.sockets.size, 0);
    assert.equal(network.client.nextTimeout() ?? Infinity > network.clock.now, true);
  });

  it('do not come all at once to a server that may not have room for them', () => {
    const network = new Network(server('one', { window: 100, tries: 3 }));
    let most = 0;
    network.answers.set('one', (asked) => {
      most = Math.max(most, network.client.status()[0]!.waiting);
      return accept(asked);
    });
    network.request(...logins(2000));
    network.advance(5000);
    assert.equal(network.answered().length, 2000);
    assert.ok(most >= 100 && most < 150, `${most} at once`);
    // What is lost makes them fewer.
    network.answers.set('one', silent);
    network.request(login('lost'));
    network.advance(1105);
    network.answers.set('one', accept);
    network.asked.splice(0);
    network.request(...logins(1000));
    network.advance(4);
    network.advance(2);
    assert.ok(network.asked.length < most * 0.8, `${network.asked.length} at once`);
    network.advance(5000);
    assert.equal(network.answered().length, 3001);
  });

  it('go to the next server where the first has no room', () => {
    const network = new Network(server('one', { timeout: 10_000 }), server('two', { priority: 1 }));
    network.answers.set('one', silent);
    network.request(...logins(MAX_SOCKETS.udp * 256 + 5));
    network.advance(50);
    assert.equal(network.answered().length, 5);
  });

  it('sockets that nobody uses are closed', () => {
    const network = new Network(server('one'));
    network.request(...logins(600));
    network.advance(100);
    assert.equal(network.maxSockets, 3);
    network.advance(IDLE_TIME + 100);
    assert.equal(network.sockets.size, 0);
    network.request(login('anna'));
    network.advance(100);
    assert.equal(network.answered().length, 601);
  });
});

describe('a reload', () => {
  it('with another secret loses nothing: what is on its way is checked by the old one', () => {
    const network = new Network(server('one'));
    network.answers.clear();
    network.request(login('anna'));
    network.advance(50);
    network.client.configure(
      [server('one', { secret: new SharedSecret('new') })],
      network.clock.now,
    );
    network.drain();
    network.request(login('ben'));
    network.advance(50);
    const [anna, ben] = network.asked;
    network.deliver(anna!.socket, accept(anna!, { secret: 'new' }));
    network.deliver(ben!.socket, accept(ben!));
    assert.deepEqual(network.outcomes(), []);
    network.deliver(anna!.socket, accept(anna!));
    network.deliver(ben!.socket, accept(ben!, { secret: 'new' }));
    assert.deepEqual(network.outcomes(), ['anna: one 2', 'ben: one 2']);
    assert.equal(anna!.socket, ben!.socket);
  });

  it('with another address opens other sockets; the old ones stay until their requests are over', () => {
    const network = new Network(server('one'));
    network.answers.clear();
    network.request(login('anna'));
    network.advance(50);
    network.client.configure([server('one', { endpoint: 'elsewhere' })], network.clock.now);
    network.request(login('ben'));
    network.advance(50);
    const [anna, ben] = network.asked;
    assert.notEqual(anna!.socket, ben!.socket);
    network.deliver(anna!.socket, accept(anna!));
    network.drain();
    assert.deepEqual([...network.sockets.keys()], [ben!.socket]);
    network.deliver(ben!.socket, accept(ben!));
    assert.deepEqual(network.outcomes(), ['anna: one 2', 'ben: one 2']);
    assert.equal(network.client.status().length, 1);
  });

  it('without a server: its requests go on to those that are there', () => {
    const network = new Network(server('one', { tries: 2 }));
    network.answers.clear();
    network.request(login('anna'));
    network.advance(50);
    network.client.configure([server('two')], network.clock.now);
    network.answers.set('two', accept);
    network.advance(10_000);
    assert.deepEqual(network.outcomes(), ['anna: two 2']);
    assert.deepEqual(
      network.client.status().map(({ name }) => name),
      ['two'],
    );
    assert.equal(network.sockets.size, 1);
  });

  it('the end fails what is on its way and closes all sockets', () => {
    const network = new Network(server('one'));
    network.answers.clear();
    network.request(...logins(3));
    network.advance(50);
    network.client.close(cause('SHUTDOWN'), network.clock.now);
    network.drain();
    assert.deepEqual(network.outcomes(), ['user0: SHUTDOWN', 'user1: SHUTDOWN', 'user2: SHUTDOWN']);
    assert.equal(network.sockets.size, 0);
    assert.equal(network.client.nextTimeout(), undefined);
  });
});
