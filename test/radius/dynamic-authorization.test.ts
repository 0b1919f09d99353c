import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  DynamicAuthorization,
  type DynamicAuthorizationCounter,
  type DynamicAuthorizationOptions,
  type DynamicAuthorizationOutput,
} from '../../src/radius/dynamic-authorization.ts';
import { ErrorCause, type LiveSession, type Wanted } from '../../src/radius/dynamic-request.ts';
import { openAnswer, sealRequest } from '../../src/radius/sealing.ts';
import { SharedSecret } from '../../src/radius/shared-secret.ts';
import { encodeRadiusPacket, RadiusCode } from '../../src/wire/radius.ts';
import {
  radiusValue,
  radiusValues,
  type RadiusAttribute,
  type RadiusAttributeName,
} from '../../src/wire/radius-attributes.ts';
import { textOf } from '../../src/wire/text.ts';
import { md5 } from '../../src/crypto/md5.ts';
import { accounted } from './accounting-world.ts';
import { ok } from '../wire/sample.ts';

const WALL = Date.UTC(2026, 10, 30);
const here = { address: '192.0.2.9', port: 40_000 };
const secret = new SharedSecret('a secret of the office');
const other = new SharedSecret('another secret');
const silent = (length: number) => new Uint8Array(length);

const text = (name: RadiusAttributeName, words: string) =>
  ({ name, value: textOf(words) }) as RadiusAttribute;
const number = (name: RadiusAttributeName, value: number) => ({ name, value }) as RadiusAttribute;
const octetsOf = (name: RadiusAttributeName, ...value: number[]) =>
  ({ name, value: Uint8Array.from(value) }) as RadiusAttribute;

type Act = Extract<DynamicAuthorizationOutput, { kind: 'act' }>;

class Desk {
  now = 5_000;
  wall = WALL;
  readonly counts = new Map<DynamicAuthorizationCounter, number>();
  readonly warnings: string[] = [];
  readonly acts: Act[] = [];
  readonly answers: Uint8Array[] = [];
  sessions: LiveSession[] = [
    accounted('s1', { address: 0x0a000001, call: { peer: 0xc0000201 } }),
    accounted('s2', { address: 0x0a000002, call: { peer: 0xc0000202 }, multiSessionId: 'm2' }),
    accounted('s3', {
      username: 'bert',
      address: 0x0a000003,
      call: { peer: 0xc0000201, portId: 'office', port: 9 },
    }),
  ];
  refusal: ErrorCause | undefined;
  looks = 0;
  readonly machine: DynamicAuthorization;
  readonly options: DynamicAuthorizationOptions = {
    clients: new Map([
      [here.address, { name: 'main', secret }],
      ['2001:db8::9', { name: 'other', secret: other }],
    ]),
    nas: { identifier: 'gateway', isOwnAddress: (address) => address === 0xcb007101 },
    window: 300_000,
    needsMessageAuthenticator: true,
    needsEventTimestamp: true,
  };
  #identifier = 0;

  constructor(options: Partial<DynamicAuthorizationOptions> = {}) {
    Object.assign(this.options, options);
    this.machine = new DynamicAuthorization(this.options, {
      random: silent,
      count: (what) => this.counts.set(what, (this.counts.get(what) ?? 0) + 1),
      wallClock: () => this.wall,
      session: (id) => (this.looks++, this.sessions.find((one) => one.call.sessionId === id)),
      sessions: () => (this.looks++, this.sessions),
    });
  }

  /** A request as a careful client sends it: with Event-Timestamp. */
  request(code: number, attributes: RadiusAttribute[], at = this.wall): Uint8Array {
    const identifier = this.#identifier++ & 0xff;
    const all = [number('Event-Timestamp', Math.floor(at / 1000)), ...attributes];
    return sealRequest({ code, identifier, attributes: all }, secret, silent).octets;
  }

  tell(octets: Uint8Array, from = here): void {
    // As a socket gives it: a Buffer, whose slices are views.
    this.machine.handleDatagram(Buffer.from(octets), from, this.now);
    for (let output = this.machine.poll(); output !== undefined; output = this.machine.poll()) {
      if (output.kind === 'warning') this.warnings.push(`${output.client}: ${output.text}`);
      else if (output.kind === 'send') {
        assert.deepEqual(output.to, from);
        this.answers.push(output.octets);
      } else {
        this.acts.push(output);
        this.machine.handleDone(output.request, this.refusal);
      }
    }
  }

  /** What a request gets: 'ack', an Error-Cause, or nothing. */
  ask(octets: Uint8Array): 'ack' | number | undefined {
    const before = this.answers.length;
    this.tell(octets);
    assert.ok(this.answers.length <= before + 1);
    const answer = this.answers[before];
    if (answer === undefined) return undefined;
    const opened = openAnswer(answer, octets.slice(4, 20), secret);
    if (typeof opened === 'string') assert.fail(opened);
    const { packet, hasMessageAuthenticator } = ok(opened);
    assert.ok(hasMessageAuthenticator);
    assert.equal(packet.identifier, octets[1]);
    const isAck = packet.code === octets[0]! + 1;
    assert.equal(packet.code, octets[0]! + (isAck ? 1 : 2));
    const errorCause = radiusValue(packet.attributes, 'Error-Cause');
    assert.equal(errorCause === undefined, isAck);
    return errorCause ?? 'ack';
  }

  disconnect(...attributes: RadiusAttribute[]): 'ack' | number | undefined {
    return this.ask(this.request(RadiusCode.DisconnectRequest, attributes));
  }

  change(...attributes: RadiusAttribute[]): 'ack' | number | undefined {
    return this.ask(this.request(RadiusCode.CoaRequest, attributes));
  }

  get last(): { sessions: readonly string[]; wanted: Wanted; client: string } | undefined {
    return this.acts.at(-1);
  }
}

describe('which sessions', () => {
  it('all that is given must be right, and all sessions for which it is are meant', () => {
    const cases: [RadiusAttribute[], string[] | number][] = [
      [[text('Acct-Session-Id', 's1')], ['s1']],
      [[text('User-Name', 'anna')], ['s1', 's2']],
      [[text('User-Name', 'anna'), number('Framed-IP-Address', 0x0a000002)], ['s2']],
      [[text('Calling-Station-Id', '192.0.2.1')], ['s1', 's3']],
      [[text('Calling-Station-Id', '192.0.2.1'), text('NAS-Port-Id', 'office')], ['s3']],
      [[text('Called-Station-Id', '203.0.113.1')], ['s1', 's2', 's3']],
      [[text('Acct-Multi-Session-Id', 'm2')], ['s2']],
      [[number('NAS-Port', 9)], ['s3']],
      [
        [
          text('User-Name', 'bert'),
          text('NAS-Identifier', 'gateway'),
          number('NAS-IP-Address', 0xcb007101),
        ],
        ['s3'],
      ],
      [[text('Acct-Session-Id', 's1'), text('User-Name', 'bert')], 503],
      [[text('Acct-Session-Id', 's9')], 503],
      [[text('User-Name', 'nobody')], 503],
      [[text('User-Name', 'anna'), text('NAS-Identifier', 'elsewhere')], 403],
      [[text('User-Name', 'anna'), number('NAS-IP-Address', 1)], 403],
      [[text('User-Name', 'anna'), octetsOf('NAS-IPv6-Address', ...new Uint8Array(16))], 403],
      [[], 402],
      [[text('NAS-Identifier', 'gateway')], 402],
      [[text('User-Name', 'anna'), text('User-Name', 'bert')], 404],
      [[text('User-Name', 'anna'), number('Framed-MTU', 1400)], 401],
      [[text('User-Name', 'anna'), number('Session-Timeout', 1400)], 401],
      [[text('User-Name', 'anna'), number('Service-Type', 2)], 401],
      [[text('User-Name', 'anna'), octetsOf('State', 1)], 401],
    ];
    for (const [attributes, expected] of cases) {
      const desk = new Desk();
      const about = attributes.map(({ name }) => name).join();
      const answer = desk.disconnect(...attributes);
      assert.equal(answer, typeof expected === 'number' ? expected : 'ack', about);
      assert.deepEqual(
        desk.last?.sessions,
        typeof expected === 'number' ? undefined : expected,
        about,
      );
    }
  });

  it('one that cannot be ended is a refusal', () => {
    const desk = new Desk();
    desk.refusal = ErrorCause.SessionContextNotRemovable;
    assert.equal(desk.disconnect(text('User-Name', 'anna')), 504);
    assert.equal(desk.counts.get('refused'), 1);
  });
});

describe('what is wanted', () => {
  it('of a Disconnect-Request: the end, and what the Stop says', () => {
    const desk = new Desk();
    desk.disconnect(
      text('Acct-Session-Id', 's1'),
      octetsOf('Class', 1),
      octetsOf('Class', 2),
      number('Acct-Terminate-Cause', 6),
      text('Reply-Message', 'bye'),
    );
    assert.deepEqual(desk.last?.wanted, {
      kind: 'disconnect',
      classes: [Uint8Array.of(1), Uint8Array.of(2)],
      terminateCause: 6,
    });
    assert.equal(desk.last.client, 'main');
  });

  it('of a CoA-Request: what is to change', () => {
    const desk = new Desk();
    const s1 = text('Acct-Session-Id', 's1');
    const changes: [RadiusAttribute[], unknown][] = [
      [[number('Session-Timeout', 60)], { sessionTimeout: 60_000 }],
      [[number('Idle-Timeout', 0)], { idleTimeout: 0 }],
      [
        [number('Acct-Interim-Interval', 600), octetsOf('Class', 7)],
        { interimInterval: 600_000, classes: [Uint8Array.of(7)] },
      ],
      [[text('Filter-Id', 'guests'), number('Service-Type', 2)], { filters: ['guests'] }],
      [[text('Mikrotik-Rate-Limit', '1M/512k 2M/1M')], { rates: { up: 1e6, down: 512_000 } }],
      [[number('WISPr-Bandwidth-Max-Down', 5000)], { rates: { up: undefined, down: 5000 } }],
      [
        [number('Ascend-Data-Rate', 1), number('Ascend-Xmit-Rate', 2)],
        { rates: { up: 1, down: 2 } },
      ],
    ];
    for (const [attributes, change] of changes) {
      assert.equal(desk.change(s1, ...attributes), 'ack');
      assert.deepEqual(desk.last?.wanted, { kind: 'change', change });
    }
    const refused: [RadiusAttribute[], number][] = [
      [[], 402],
      [[number('Service-Type', 17), octetsOf('State', 1)], 405],
      [[text('Mikrotik-Rate-Limit', 'fast')], 407],
      [[number('Session-Timeout', 1), number('Session-Timeout', 2)], 404],
      [[number('Framed-MTU', 1400)], 401],
      [[number('Acct-Terminate-Cause', 1)], 401],
    ];
    const { length } = desk.acts;
    for (const [attributes, errorCause] of refused)
      assert.equal(desk.change(s1, ...attributes), errorCause);
    assert.equal(desk.acts.length, length);
  });

  it('State and Proxy-State go back as they came, in ACK and NAK', () => {
    const desk = new Desk();
    const states = [
      octetsOf('Proxy-State', 1, 2),
      octetsOf('State', 9),
      octetsOf('Proxy-State', 1),
      number('Session-Timeout', 1),
    ];
    for (const id of ['s1', 's9']) {
      const octets = desk.request(RadiusCode.CoaRequest, [text('Acct-Session-Id', id), ...states]);
      desk.tell(octets);
      const opened = openAnswer(desk.answers.at(-1)!, octets.slice(4, 20), secret);
      assert.ok(typeof opened === 'object' && 'packet' in opened);
      const { attributes } = opened.packet;
      assert.deepEqual(radiusValues(attributes, 'Proxy-State'), [
        Uint8Array.of(1, 2),
        Uint8Array.of(1),
      ]);
      assert.deepEqual(radiusValues(attributes, 'State'), [Uint8Array.of(9)]);
    }
  });
});

describe('who is heard', () => {
  const s1 = [text('Acct-Session-Id', 's1')];

  it('only configured addresses, each with its own secret', () => {
    const desk = new Desk();
    const octets = desk.request(RadiusCode.DisconnectRequest, s1);
    desk.tell(octets, { address: '192.0.2.10', port: 3799 });
    assert.equal(desk.counts.get('unknown source'), 1);
    desk.tell(octets, { address: '2001:db8::9', port: 3799 });
    desk.tell(octets, { address: '2001:db8::9', port: 3799 });
    assert.equal(desk.counts.get('bad authenticator'), 2);
    assert.deepEqual(desk.warnings, ['other: wrong secret: it has another one than we']);
    assert.deepEqual([desk.answers, desk.acts], [[], []]);
    desk.machine.reconfigure({ ...desk.options, clients: new Map() });
    desk.tell(octets);
    assert.equal(desk.counts.get('unknown source'), 2);
  });

  it('a damaged request is dropped without a word, whichever octet it is', () => {
    const desk = new Desk();
    const octets = desk.request(RadiusCode.DisconnectRequest, s1);
    for (let at = 0; at < octets.length; at++) {
      desk.now += 100;
      const damaged = octets.slice();
      damaged[at]! ^= 0x10;
      desk.tell(damaged);
    }
    for (let length = 0; length < octets.length; length++) desk.tell(octets.subarray(0, length));
    desk.tell(new Uint8Array(4090));
    assert.deepEqual([desk.answers, desk.acts], [[], []]);
    assert.equal(desk.ask(octets), 'ack');
  });

  it('only Disconnect- and CoA-Requests', () => {
    const desk = new Desk();
    for (const code of [1, 2, 4, 12, 41, 42, 44, 45, 46, 255]) {
      const octets = desk.request(RadiusCode.DisconnectRequest, s1);
      octets[0] = code;
      desk.tell(octets);
    }
    assert.equal(desk.counts.get('unexpected code'), 10);
    assert.equal(desk.answers.length, 0);
  });

  /** As radclient sends it where it is not told otherwise. */
  function bare(attributes: RadiusAttribute[], identifier = 1): Uint8Array {
    const packet = { code: 40, identifier, authenticator: new Uint8Array(16), attributes };
    const octets = encodeRadiusPacket(packet, {
      hide: (_, plain) => plain,
      reveal: (_, hidden) => hidden,
    });
    octets.set(md5(octets, secret.octets), 4);
    return octets;
  }

  it('with a Message-Authenticator and an Event-Timestamp, unless the owner does without', () => {
    const timestamp = number('Event-Timestamp', WALL / 1000);
    const strict = new Desk();
    assert.equal(strict.ask(bare([timestamp, ...s1])), 402);
    assert.match(strict.warnings[0]!, /without Message-Authenticator/);
    const { octets } = sealRequest({ code: 40, identifier: 3, attributes: s1 }, secret, silent);
    assert.equal(strict.ask(octets), 402);
    assert.match(strict.warnings[1]!, /without Event-Timestamp/);
    const lax = new Desk({ needsMessageAuthenticator: false, needsEventTimestamp: false });
    assert.equal(lax.ask(bare(s1)), 'ack');
    const wrong = bare([octetsOf('Message-Authenticator', ...new Uint8Array(16)), ...s1]);
    assert.equal(lax.ask(wrong), undefined);
    assert.equal(lax.counts.get('bad Message-Authenticator'), 1);
  });

  it('within the window, before and after', () => {
    const desk = new Desk();
    for (const [off, answer] of [
      [-301_000, undefined],
      [-300_000, 'ack'],
      [300_000, 'ack'],
      [301_000, undefined],
    ] as const)
      assert.equal(
        desk.ask(desk.request(RadiusCode.DisconnectRequest, s1, WALL + off)),
        answer,
        String(off),
      );
    assert.equal(desk.counts.get('not current'), 2);
    assert.equal(desk.warnings.length, 1);
  });

  it('attributes that we do not know, or cannot read, are a refusal', () => {
    const desk = new Desk({ needsMessageAuthenticator: false, needsEventTimestamp: false });
    const withOctets = (...more: number[]) => {
      const octets = Uint8Array.of(...bare(s1), ...more);
      octets[3] = octets.length;
      octets.fill(0, 4, 20);
      octets.set(md5(octets, secret.octets), 4);
      return octets;
    };
    assert.equal(desk.ask(withOctets(250, 3, 1)), 401);
    assert.equal(desk.ask(withOctets(26, 9, 0, 0, 0x99, 1, 1, 3, 7)), 401);
    assert.equal(desk.ask(withOctets(8, 5, 1, 2, 3)), 404); // Framed-IP-Address of three octets
    assert.equal(desk.ask(withOctets(8, 1)), undefined);
    assert.equal(desk.counts.get('malformed'), 1);
  });
});

describe('a request that comes again', () => {
  const s1 = [text('Acct-Session-Id', 's1')];

  it('is answered as it was, and done once', () => {
    const desk = new Desk();
    const octets = desk.request(RadiusCode.DisconnectRequest, s1);
    desk.tell(octets);
    desk.sessions = [];
    for (let n = 0; n < 3; n++) desk.tell(octets);
    assert.equal(desk.acts.length, 1);
    assert.equal(desk.answers.length, 4);
    for (const answer of desk.answers) assert.deepEqual(answer, desk.answers[0]);
    assert.equal(desk.counts.get('again'), 3);
    desk.wall += 301_000;
    desk.tell(octets);
    assert.equal(desk.answers.length, 4);
    desk.wall -= 301_000; // and if the clock is set back
    desk.tell(octets);
    assert.equal(desk.acts.length, 1);
  });

  it('while it is being done gets no second answer', () => {
    const desk = new Desk();
    const octets = desk.request(RadiusCode.DisconnectRequest, s1);
    const { machine } = desk;
    machine.handleDatagram(octets, here, desk.now);
    machine.handleDatagram(octets, here, desk.now);
    const act = machine.poll();
    assert.ok(act?.kind === 'act');
    assert.equal(machine.poll(), undefined);
    machine.handleDone(act.request, undefined);
    machine.handleDone(act.request, undefined);
    assert.equal(machine.poll()?.kind, 'send');
    assert.equal(machine.poll(), undefined);
    assert.equal(machine.nextTimeout(), undefined);
  });

  it('is never done again, however many come between', () => {
    const desk = new Desk();
    const first = desk.request(RadiusCode.DisconnectRequest, [text('User-Name', 'anna')]);
    assert.equal(desk.ask(first), 'ack');
    for (let n = 0; n < 3000; n++) {
      desk.now += 10;
      desk.wall += 10;
      desk.disconnect(text('Acct-Session-Id', `x${n}`));
    }
    assert.equal(desk.ask(first), undefined);
    assert.equal(desk.acts.length, 1);
    // Who asks that much is held to a shorter window, but is heard.
    assert.equal(desk.disconnect(...s1), 'ack');
  });
});

describe('a flood', () => {
  it('of 10,000 requests a second: some hundred are looked at, the rest is counted, and another client is served', () => {
    const desk = new Desk();
    const flood = Array.from({ length: 500 }, (_, n) =>
      desk.request(RadiusCode.DisconnectRequest, [text('Acct-Session-Id', `x${n}`)]),
    );
    const begun = performance.now();
    for (let n = 0; n < 20_000; n++) {
      desk.now = 5000 + n / 10;
      desk.tell(flood[n % 500]!);
    }
    const took = performance.now() - begun;
    assert.equal(desk.counts.get('too many'), 20_000 - 400 - 399);
    assert.ok(desk.looks <= 800);
    assert.deepEqual(desk.warnings, ['main: more than 200 requests a second: some are dropped']);
    assert.ok(took < 2000, `${took} ms for 2 s`);
    const { octets } = sealRequest(
      {
        code: 40,
        identifier: 1,
        attributes: [number('Event-Timestamp', WALL / 1000), ...[text('Acct-Session-Id', 's1')]],
      },
      other,
      silent,
    );
    desk.tell(octets, { address: '2001:db8::9', port: 1 });
    assert.equal(desk.acts.length, 1);
    desk.now += 1000;
    assert.equal(desk.disconnect(text('Acct-Session-Id', 's2')), 'ack');
  });

  it('of strangers costs a look at the address', () => {
    const desk = new Desk();
    const octets = desk.request(RadiusCode.DisconnectRequest, [text('Acct-Session-Id', 's1')]);
    for (let n = 0; n < 20_000; n++)
      desk.machine.handleDatagram(octets, { address: '203.0.113.77', port: n }, desk.now);
    assert.equal(desk.counts.get('unknown source'), 20_000);
    assert.equal(desk.machine.poll(), undefined);
    assert.equal(desk.looks, 0);
  });

  it('of requests that take time is bounded', () => {
    const desk = new Desk();
    const { machine } = desk;
    for (let n = 0; n < 300; n++)
      machine.handleDatagram(
        desk.request(RadiusCode.DisconnectRequest, [
          text('Acct-Session-Id', 's1'),
          octetsOf('Class', n >> 8, n & 255),
        ]),
        here,
        desk.now,
      );
    const kinds: string[] = [];
    for (let output = machine.poll(); output !== undefined; output = machine.poll())
      kinds.push(output.kind);
    assert.equal(kinds.filter((kind) => kind === 'act').length, 256);
    assert.equal(kinds.filter((kind) => kind === 'send').length, 44);
  });
});
