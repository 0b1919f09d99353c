/** Callers that may try again, or must change their password: MS-CHAPv2's Failure with R=1 and what follows. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkEvidence } from '../../../src/ppp/authentication/evidence.ts';
import { Secret } from '../../../src/crypto/secret.ts';
import type { Refusal } from '../../../src/ppp/options.ts';
import {
  ordinaryIpv6,
  ordinaryTerms,
  type Authorization,
  type LoginAnswer,
  type LoginQuestion,
} from '../../../src/session/authorization.ts';
import type { Limits, ServerOptions } from '../../../src/session/options.ts';
import { cause } from '../../../src/wire/cause.ts';
import { decodeChap } from '../../../src/wire/chap.ts';
import { isMalformed } from '../../../src/wire/codec.ts';
import { MsChapError, parseMsChapFailure } from '../../../src/wire/ms-chap.ts';
import { decodePppFrame, encodePppFrame, PppProtocol } from '../../../src/wire/ppp-frame.ts';
import { changePayload, responsePayload, type Retry } from '../../support/password-change.ts';
import { user, World, type LinkHost, type ServerHost } from '../../support/world.ts';

const OLD = 'secret of anna';
const NEW = 'Fresh-Paint-9';

interface Typed {
  readonly world: World;
  readonly server: ServerHost;
  readonly link: LinkHost;
  /** What the server said at the end of each try. */
  readonly said: string[];
}

/** anna calls, and somebody sits there who types in what it is asked for. */
function typing(
  tries: readonly ((retry: Retry) => Uint8Array | undefined)[],
  options: Partial<ServerOptions> = {},
  prepare: (server: ServerHost) => void = () => undefined,
  password = OLD,
  limits: Partial<Limits> = {},
): Typed {
  const world = new World();
  const gateway = world.gateway([user('anna', { mustChange: true })], limits);
  const server = world.server(options, gateway);
  prepare(server);
  const said: string[] = [];
  const left = [...tries];
  const send = world.gre.send.bind(world.gre);
  const link = world.link({
    holdoff: 3_600_000,
    holdoffMax: 3_600_000,
    secret: Secret.fromPassword(password),
  });
  world.gre.send = (from, to, callId, frame) => {
    const decoded = decodePppFrame(frame);
    const chap =
      from === server.address && !isMalformed(decoded) && decoded.protocol === PppProtocol.Chap
        ? decodeChap(decoded.payload)
        : undefined;
    if (chap === undefined || isMalformed(chap) || !('message' in chap)) {
      send(from, to, callId, frame);
      return;
    }
    said.push(chap.message.text);
    const failure = parseMsChapFailure(chap.message.text);
    const next = isMalformed(failure) || !failure.retry ? undefined : left.shift();
    if (next === undefined) {
      send(from, to, callId, frame);
      return;
    }
    assert(!isMalformed(failure) && failure.challenge?.length === 16);
    const { identifier } = chap;
    const payload = next({ identifier, challenge: failure.challenge, username: 'anna' });
    if (payload === undefined) {
      left.unshift(next); // it thinks
      return;
    }
    const [path] = server.paths.calls.values();
    send(to, from, path!.callId, encodePppFrame(PppProtocol.Chap, payload));
  };
  link.dial();
  world.advance(6_000);
  return { world, server, link, said };
}

const change = (retry: Retry): Uint8Array => changePayload(retry, OLD, NEW);
const errors = (said: readonly string[]): string[] =>
  said.map((text) => /^E=\d+ R=\d|^S=/.exec(text)?.[0] ?? text);

test('must_change: the right password is not enough, the new one is stored, and gets in', () => {
  const { world, server, link, said } = typing([change]);
  assert.deepEqual(errors(said), ['E=648 R=1', 'S=']);
  assert.deepEqual(
    server.stored.map(({ section }) => section),
    ['anna'],
  );
  assert.deepEqual(server.stored[0]?.secret.ntHash, Secret.fromPassword(NEW).ntHash);
  assert.deepEqual(server.whats(), ['auth-failed anna PASSWORD_EXPIRED']);
  assert.equal(server.gateway.occupied, 1, 'it is in');
  link.hangup();
  world.advance(4_000);
  const again = world.link({ secret: Secret.fromPassword(NEW) });
  again.dial();
  world.advance(3_000);
  assert.equal(again.state, 'up');
});

test('must_change: a wrong password is told what any wrong one is', () => {
  const { said, server } = typing([], {}, undefined, 'guess');
  assert.deepEqual(errors(said), ['E=691 R=0']);
  assert.deepEqual(server.whats(), ['auth-failed anna PEER_AUTH_FAILED']);
});

test('must_change: a change under another old password, to the same one, or cut off changes nothing', () => {
  const wrongOld = typing([(retry) => changePayload(retry, 'guess', NEW)]);
  assert.deepEqual(errors(wrongOld.said), ['E=648 R=1', 'E=691 R=0']);
  assert.equal(wrongOld.server.whats().at(-1), 'auth-failed anna PEER_AUTH_FAILED');
  const same = typing([(retry) => changePayload(retry, OLD, OLD)]);
  assert.deepEqual(errors(same.said), ['E=648 R=1', 'E=709 R=0']);
  const cut = typing([
    (retry) => {
      const payload = change(retry).slice(0, 300);
      payload.set([1, 44], 2);
      return payload;
    },
  ]);
  assert.deepEqual(new Set(errors(cut.said)), new Set(['E=648 R=1']));
  assert(cut.world.counted.includes('ppp: malformed-authentication'));
  for (const { server } of [wrongOld, same, cut]) assert.deepEqual(server.stored, []);
});

test('must_change: the old password once more is asked to change again, three times in all', () => {
  const again = (retry: Retry): Uint8Array => responsePayload(retry, OLD);
  const { said, server } = typing([again, again, again, again]);
  assert.deepEqual(errors(said), ['E=648 R=1', 'E=648 R=1', 'E=648 R=0']);
  assert.equal(server.whats().length, 3);
});

test('what cannot be stored is a refusal that says so, and so is what is stored and not in force', () => {
  const failed = typing([change], {}, (server) => {
    server.storing = { failure: 'disk full' };
  });
  const forgotten = typing([change], {}, (server) => (server.storing = { forgets: true }));
  for (const { said, server } of [failed, forgotten]) {
    assert.deepEqual(errors(said), ['E=648 R=1', 'E=709 R=0']);
    assert.equal(server.whats().at(-1), 'auth-failed anna PASSWORD_NOT_STORED');
    assert.equal(server.gateway.occupied, 0);
  }
  const slow = typing([change], {}, (server) => (server.storing = { after: 60_000 }));
  slow.world.advance(6_000);
  assert.deepEqual(errors(slow.said), ['E=648 R=1', 'E=709 R=0']);
});

test('somebody who must type may take longer than a login', () => {
  const thinks = () => undefined;
  const { world, server, said } = typing([thinks], {}, undefined, OLD, { loginTimeout: 8_000 });
  world.advance(20_000);
  assert.deepEqual(new Set(errors(said)), new Set(['E=648 R=1']));
  assert.equal(server.server.callers().length, 1);
  assert.deepEqual(server.whats(), ['auth-failed anna PASSWORD_EXPIRED']);
});

const radiusOnly: Partial<ServerOptions> = { accounts: ['radius'] };

/** A RADIUS server that knows a password of anna's. @param refusal what it says to others, or instead */
function deciding(
  password: string,
  refusal: (question: LoginQuestion) => LoginAnswer | undefined,
): (server: ServerHost) => void {
  return (server) =>
    (server.decide = (question) => {
      const proof = checkEvidence(question.attempt.evidence, Secret.fromPassword(password));
      const refused = refusal(question);
      if (proof === undefined || refused !== undefined) return refused ?? wrongPassword({});
      const authorization: Authorization = {
        username: undefined,
        address: undefined,
        pool: undefined,
        routes: [],
        ip6: ordinaryIpv6,
        prefixLength: 32,
        maxSessions: undefined,
        terms: ordinaryTerms,
      };
      return { kind: 'accepted', proof, authorization };
    });
}

const challenge = new Uint8Array(16).fill(9);
function wrongPassword(retry: Refusal['retry'] & object): LoginAnswer {
  const errorCode = MsChapError.AuthenticationFailure;
  const told = { errorCode, message: 'No', isForAnybody: true, retry } as const;
  return { kind: 'refused', cause: cause('PEER_AUTH_FAILED'), told };
}

const again = (password: string) => (retry: Retry) => responsePayload(retry, password);
const withChallenge = ({ attempt }: LoginQuestion): LoginAnswer | undefined =>
  checkEvidence(attempt.evidence, Secret.fromPassword(NEW)) === undefined
    ? wrongPassword({ challenge })
    : undefined;

test('RADIUS: R=1 lets a caller type the password once more, three tries on one call', () => {
  const prepare = deciding(NEW, withChallenge);
  const second = typing([again(NEW)], radiusOnly, prepare);
  assert.deepEqual(errors(second.said), ['E=691 R=1', 'S=']);
  assert.match(second.said[0]!, /C=(09){16} /);
  assert.equal(second.server.gateway.occupied, 1);
  const guess = again('guess');
  const never = typing([guess, guess, guess], radiusOnly, prepare);
  never.world.advance(10_000);
  assert.deepEqual(errors(never.said), ['E=691 R=1', 'E=691 R=1', 'E=691 R=0']);
  const failed = 'auth-failed anna PEER_AUTH_FAILED';
  assert.deepEqual(never.server.whats(), [failed, failed, failed]);
});

test('RADIUS: tries with a wrong password count, and where users are kept here, too, there is one', () => {
  const prepare = deciding(NEW, withChallenge);
  const ban = { after: 2, time: 600_000 };
  const banned = typing([again('guess'), again(NEW)], { ...radiusOnly, ban }, prepare);
  banned.world.advance(10_000);
  assert.deepEqual(errors(banned.said), ['E=691 R=1', 'E=691 R=1', 'E=691 R=0']);
  assert.equal(banned.server.whats().at(-1), 'auth-failed anna SOURCE_BANNED');
  const both = typing([again(NEW)], { accounts: ['radius', 'local'] }, prepare);
  assert.deepEqual(errors(both.said), ['E=691 R=0']);
});

test('RADIUS: an expired password is changed there, and is no wrong one', () => {
  const told = { errorCode: MsChapError.PasswordExpired, message: 'Expired', retry: {} };
  const expired: LoginAnswer = { kind: 'refused', cause: cause('PASSWORD_EXPIRED'), told };
  const { said, server } = typing(
    [change],
    { ...radiusOnly, ban: { after: 1, time: 1_000 } },
    deciding(OLD, ({ attempt: { evidence } }) =>
      evidence.method === 'mschap-v2' && evidence.change === undefined ? expired : undefined,
    ),
  );
  assert.deepEqual(errors(said), ['E=648 R=1', 'S=']);
  assert.equal(server.gateway.occupied, 1);
  assert.deepEqual(server.stored, []);
});
