/** Logins that are decided on elsewhere: what is asked, when, and what becomes of the answer. Our own links are the callers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Secret } from '../../../src/crypto/secret.ts';
import { checkEvidence } from '../../../src/ppp/authentication/evidence.ts';
import { startKeys } from '../../../src/ppp/mppe-key-source.ts';
import {
  ordinaryIpv6,
  ordinaryTerms,
  type Authorization,
  type LoginAnswer,
  type LoginQuestion,
  type Terms,
} from '../../../src/session/authorization.ts';
import type { ServerOptions } from '../../../src/session/options.ts';
import { cause } from '../../../src/wire/cause.ts';
import { MsChapError } from '../../../src/wire/ms-chap.ts';
import type { TwinPath } from '../../support/call-paths.ts';
import { ip, net, user, World, type LinkHost, type ServerHost } from '../../support/world.ts';

const right = user('anna').secret;
const wrong = Secret.fromPassword('wrong');
const silence: LoginAnswer = { kind: 'unanswered', cause: cause('RADIUS_NO_ANSWER') };

/** As a RADIUS server does it: keys for both directions, and nothing of the password. */
function accepted(
  question: LoginQuestion,
  more: Partial<Omit<Authorization, 'terms'>> = {},
  terms: Partial<Terms> = {},
): LoginAnswer {
  const proof = checkEvidence(question.attempt.evidence, right);
  assert(proof?.keys !== undefined);
  const keys = { method: 'given', ...startKeys(proof.keys, 128)! } as const;
  const authorization = {
    username: undefined,
    address: undefined,
    pool: undefined,
    routes: [],
    ip6: ordinaryIpv6,
    prefixLength: 32,
    maxSessions: undefined,
    ...more,
    terms: { ...ordinaryTerms, ...terms },
  };
  return { kind: 'accepted', proof: { ...proof, keys }, authorization };
}
const refused = (told?: Parameters<typeof refusal>[0]) => refusal(told);
function refusal(told: (LoginAnswer & { kind: 'refused' })['told']): LoginAnswer {
  return { kind: 'refused', cause: cause('PEER_AUTH_FAILED', 'RADIUS'), told };
}

interface Scene {
  readonly world: World;
  readonly server: ServerHost;
  readonly link: LinkHost;
}

function dialled(
  options: Partial<ServerOptions> = {},
  { users = [] as string[], username = 'anna', secret = right } = {},
): Scene {
  const world = new World();
  const gateway = world.gateway(users.map((name) => user(name)));
  const server = world.server({ accounts: ['radius'], ...options }, gateway);
  const link = world.link({ username, secret, holdoff: 3_600_000, holdoffMax: 3_600_000 });
  link.dial();
  world.advance(1_000);
  return { world, server, link };
}

/** The peer asks for LCP anew. */
function restartLcp(path: TwinPath): void {
  path.receive(Uint8Array.from([0xff, 3, 0xc0, 0x21, 1, 99, 0, 4]));
}

/** What a link is told of its refusal. */
const toldTo = (link: LinkHost) => link.link.status().cause?.detail;

test('who is accepted elsewhere is in, encrypted with keys that came from there', () => {
  const { world, server, link } = dialled({}, { username: 'CORP\\anna' });
  const { question } = server;
  assert.equal(question?.attempt.username, 'CORP\\anna');
  assert.equal(question.call.server, 'home');
  assert.equal(question.call.peer, link.address);
  assert.equal(question.call.called, server.address);
  assert.match(question.call.accountingId, /^[0-9A-F]{16}$/);
  world.advance(3_000);
  assert.equal(link.state, 'connecting', 'nobody has answered');
  server.answer(accepted(question));
  world.advance(1_000);
  assert.equal(link.state, 'up');
  assert.deepEqual(server.whats(), ['session-up anna']);
  assert(link.networks.only()[0].sendIp());
  assert(server.networks.only()[0].sendIp());
  const [session] = server.server.sessions();
  assert.equal(session?.mppe, 'mppe-128');
  assert.deepEqual(session.account?.call, question.call);
  assert.equal(session.account.source, 'radius');
});

test('keys of 56 and 40 bits are cut from those of 128', () => {
  for (const strength of [56, 40] as const) {
    const mppe = { policy: 'required', strengths: [strength], stateful: false } as const;
    const world = new World();
    const server = world.server({ accounts: ['radius'], mppe }, world.gateway([]));
    const link = world.link({ mppe });
    link.dial();
    world.advance(1_000);
    server.answer(accepted(server.question!));
    world.advance(1_000);
    assert.equal(server.server.sessions()[0]?.mppe, `mppe-${strength}`);
    assert(link.networks.only()[0].sendIp());
    assert(server.networks.only()[0].sendIp());
  }
});

test('a refusal is that of a wrong password, unless more is to be told', () => {
  const { world, server, link } = dialled();
  server.answer(refused(undefined));
  world.advance(5_000);
  assert.deepEqual(server.whats(), ['auth-failed anna PEER_AUTH_FAILED']);
  const wrongWords = toldTo(link);
  const local = dialled({ accounts: ['local'] }, { users: ['anna'], secret: wrong });
  local.world.advance(5_000);
  assert.equal(wrongWords, toldTo(local.link));

  const other = dialled();
  const told = { errorCode: MsChapError.RestrictedLogonHours, message: 'after nine' } as const;
  other.server.answer(refused({ ...told, isForAnybody: true }));
  other.world.advance(5_000);
  assert.match(toldTo(other.link)!, /646.*after nine/);
});

test('refusals from elsewhere count in the lock-out, answers that never come do not', () => {
  const ban = { after: 2, time: 600_000 };
  for (const [answer, isBanned] of [
    [refused(undefined), true],
    [silence, false],
  ] as const) {
    const { world, server, link } = dialled({ ban });
    server.answer(answer);
    world.advance(5_000);
    link.dial();
    world.advance(5_000);
    server.answer(answer);
    world.advance(5_000);
    assert.equal(server.access.lockout.isBanned(link.address, world.clock.now), isBanned);
  }
});

test('a banned source is not asked about', () => {
  const { world, server, link } = dialled({ ban: { after: 1, time: 600_000 } });
  const again = world.link(
    { holdoff: 3_600_000, holdoffMax: 3_600_000 },
    { address: link.address },
  );
  again.dial();
  world.advance(20);
  server.answer(refused(undefined));
  world.advance(5_000);
  assert.equal(server.question, undefined);
  assert.equal(server.whats().includes('session-up anna'), false);
});

test('nobody answers: after nine seconds the caller is told so, and nothing more is waited for', () => {
  const { world, server, link } = dialled();
  world.advance(7_900);
  assert.notEqual(server.question, undefined);
  world.advance(300);
  assert.equal(server.question, undefined);
  world.advance(5_000);
  assert.deepEqual(server.whats(), ['auth-failed anna RADIUS_NO_ANSWER']);
  assert.match(toldTo(link)!, /930.*authentication server does not answer/);
});

test('an answer that comes too late, or to somebody else, changes nothing', () => {
  const { world, server, link } = dialled();
  const question = server.question!;
  const [caller] = server.callers.keys();
  caller!.handleAuthorized(question.id + 1, accepted(question), world.clock.now);
  world.advance(100);
  assert.equal(link.state, 'connecting');
  world.advance(9_000);
  caller!.handleAuthorized(question.id, accepted(question), world.clock.now);
  world.advance(5_000);
  assert.equal(server.whats().includes('session-up anna'), false);
});

test('others get in while one waits', () => {
  const { world, server } = dialled({ accounts: ['local', 'radius'] }, { users: ['bert'] });
  const other = world.link(
    { username: 'bert', secret: user('bert').secret },
    { address: ip('198.51.100.77') },
  );
  other.dial();
  world.advance(1_000);
  assert.equal(other.state, 'up');
  assert.equal(server.questions.size, 1);
});

test('local first: whom this router knows is decided on here, whom it does not there', () => {
  const known = dialled({ accounts: ['local', 'radius'] }, { users: ['anna'] });
  assert.equal(known.link.state, 'up');
  assert.equal(known.server.server.sessions()[0]?.account?.source, 'local');
  const mistyped = dialled({ accounts: ['local', 'radius'] }, { users: ['anna'], secret: wrong });
  assert.equal(mistyped.server.question, undefined);
  const unknown = dialled({ accounts: ['local', 'radius'] }, { users: ['bert'] });
  assert.equal(unknown.server.question?.attempt.username, 'anna');
});

test('RADIUS first: it decides; where it is silent this router does, as far as it knows somebody', () => {
  const scene = () => dialled({ accounts: ['radius', 'local'] }, { users: ['anna'] });
  const accept = scene();
  accept.server.answer(accepted(accept.server.question!));
  accept.world.advance(1_000);
  assert.equal(accept.server.server.sessions()[0]?.account?.source, 'radius');
  const refuse = scene();
  refuse.server.answer(refused(undefined));
  refuse.world.advance(5_000);
  assert.deepEqual(refuse.server.whats(), ['auth-failed anna PEER_AUTH_FAILED']);
  const silent = scene();
  silent.server.answer(silence);
  silent.world.advance(1_000);
  assert.equal(silent.server.server.sessions()[0]?.account?.source, 'local');
  const stranger = dialled({ accounts: ['radius', 'local'] }, { users: ['bert'] });
  stranger.server.answer(silence);
  stranger.world.advance(5_000);
  assert.deepEqual(stranger.server.whats(), ['auth-failed anna RADIUS_NO_ANSWER']);
});

test('the slow-down holds for answers from elsewhere, from the attempt on', () => {
  const { world, server, link } = dialled({ ban: { after: 0, time: 1_000 } });
  server.answer(refused(undefined));
  world.advance(5_000);
  link.dial();
  world.advance(100);
  server.answer(accepted(server.question!));
  world.advance(300);
  assert.equal(link.state, 'connecting', 'half a second after one failure');
  world.advance(500);
  assert.equal(link.state, 'up');
});

test('the caller hangs up, or the server ends: nobody waits any more', () => {
  const { world, server, link } = dialled();
  link.hangup();
  world.advance(4_000);
  assert.equal(server.questions.size, 0);
  const other = dialled();
  other.server.server.shutdown(cause('SHUTDOWN'), other.world.clock.now);
  other.world.advance(4_000);
  assert.equal(other.server.questions.size, 0);
  assert.deepEqual(other.server.callers.size, 0);
});

test('LCP starts anew while somebody is asked: about the new attempt, three times at most', () => {
  const { world, server, link } = dialled();
  const restart = () => {
    const [path] = server.paths.calls.values();
    restartLcp(path!);
    world.advance(1_000);
  };
  const asked = [server.question!.id];
  for (let n = 0; n < 2; n++) {
    restart();
    assert.equal(server.questions.size, 1);
    asked.push(server.question!.id);
  }
  assert.equal(new Set(asked).size, 3);
  restart();
  world.advance(4_000);
  assert.equal(server.questions.size, 0);
  assert.deepEqual(server.whats(), ['auth-failed anna PEER_AUTH_FAILED']);
  assert.notEqual(link.state, 'up');
});

test('a session whose peer starts LCP anew logs in again, elsewhere too, and goes on', () => {
  const { world, server, link } = dialled();
  server.answer(accepted(server.question!));
  world.advance(1_000);
  const [session] = server.server.sessions();
  const [path] = server.paths.calls.values();
  restartLcp(path!);
  world.advance(1_000);
  assert.equal(server.questions.size, 1);
  server.answer(accepted(server.question!));
  world.advance(2_000);
  assert.equal(server.server.sessions()[0]?.id, session?.id);
  assert.equal(link.state, 'up');
  assert(link.networks.only()[0].sendIp());
});

test('what is given: an address, a name, routes, MTU, name servers, time-outs', () => {
  const { world, server, link } = dialled();
  const given = accepted(
    server.question!,
    { username: 'anna@corp', address: ip('10.77.0.5'), routes: [net('10.9.0.0/16')] },
    { mtu: 1300, dns: [ip('10.0.0.53')], sessionTimeout: 60_000 },
  );
  server.answer(given);
  world.advance(1_000);
  const [session] = server.server.sessions();
  assert.equal(session?.username, 'anna@corp');
  assert.equal(session.peerAddress, ip('10.77.0.5'));
  assert.deepEqual(session.routes, [net('10.77.0.5/32'), net('10.9.0.0/16')]);
  assert.equal(session.mtu, 1296);
  assert.deepEqual(link.networks.only()[1].dns, [ip('10.0.0.53')]);
  world.advance(61_000);
  assert.deepEqual(server.whats().at(-1), 'session-down anna@corp CONNECT_TIME');
});

test('the network behind a caller who is a router, by the mask of its address', () => {
  const routes = (address: string, prefixLength: number, peer?: string) => {
    const world = new World();
    const server = world.server({ accounts: ['radius'] }, world.gateway([]));
    const link = world.link({}, peer === undefined ? {} : { address: ip(peer) });
    link.dial();
    world.advance(1_000);
    server.answer(accepted(server.question!, { address: ip(address), prefixLength }));
    world.advance(1_000);
    return server.server.sessions()[0]?.routes;
  };
  const own = net('10.77.0.5/32');
  assert.deepEqual(routes('10.77.0.5', 24), [own, net('10.77.0.0/24')]);
  for (const length of [32, 0]) assert.deepEqual(routes('10.77.0.5', length), [own]);
  // What is said of the network of the tunnels, of ours and of the caller's own address outside leads to nobody.
  assert.deepEqual(routes('192.168.99.15', 24), []);
  assert.deepEqual(routes('192.168.99.15', 30), []);
  assert.deepEqual(routes('192.168.50.5', 16), [net('192.168.50.5/32')]);
  assert.deepEqual(routes('10.77.0.5', 16, '10.77.9.9'), [own]);
});

test('Filter-Ids put the address into the sets that the server permits, and change while it is up', () => {
  const filterSets = [
    { filter: 'staff', set: 'inet fw4 staff' },
    { filter: 'sales team', set: 'ip filter sales' },
  ];
  const { world, server } = dialled({ filterSets });
  server.answer(accepted(server.question!, {}, { filters: ['sales team', 'evil'] }));
  world.advance(1_000);
  const groups = () => server.networks.only()[1].groups;
  assert.deepEqual(groups(), ['ip filter sales']);
  const { id } = server.server.sessions()[0]!;
  server.server.changeTerms(id, { filters: ['staff'] }, world.clock.now);
  world.advance(1_000);
  assert.deepEqual(groups(), ['inet fw4 staff']);
  server.server.reconfigure({ ...server.server.options, filterSets: [] }, world.clock.now);
  world.advance(1_000);
  assert.deepEqual(groups(), []);
  assert.deepEqual(server.networks.log, ['tunnel-up', 'tunnel-changed', 'tunnel-changed']);
});

test('the allowance is that of the name which is given', () => {
  const { world, server, link } = dialled();
  world.allowances.set('anna@corp', 256);
  server.answer(accepted(server.question!, { username: 'anna@corp' }));
  world.advance(1_000);
  assert.equal(server.server.sessions()[0]?.rates.up, 256);
  world.allowances.set('anna@corp', 0);
  server.server.review('anna@corp', world.clock.now);
  world.advance(2_000);
  assert.deepEqual(server.whats().at(-1), 'session-down anna@corp QUOTA_USED_UP');
  link.dial();
  world.advance(1_000);
  server.answer(accepted(server.question!, { username: 'anna@corp' }));
  world.advance(3_000);
  assert.deepEqual(server.whats().at(-1), 'auth-failed anna QUOTA_USED_UP');
  assert.match(toldTo(link) ?? '', /quota is used up/);
});

test('an address inside the network needs no route of its own, and is given back', () => {
  const { world, server, link } = dialled();
  server.answer(accepted(server.question!, { address: ip('192.168.99.15') }));
  world.advance(1_000);
  assert.deepEqual(server.server.sessions()[0]?.routes, []);
  link.hangup();
  world.advance(4_000);
  link.dial();
  world.advance(1_000);
  server.answer(accepted(server.question!, { address: ip('192.168.99.15') }));
  world.advance(1_000);
  assert.equal(link.state, 'up');
});

for (const [what, given, code] of [
  ['ours', { address: ip('192.168.99.1') }, 'ADDRESS_IN_USE'],
  ['the fixed one of a user', { address: ip('192.168.99.77') }, 'ADDRESS_IN_USE'],
  ['impossible', { address: ip('127.0.0.1') }, 'RADIUS_UNUSABLE'],
  ['of a pool that there is not', { pool: 'gold' }, 'POOL_EMPTY'],
] as const)
  test(`an address that is ${what} is a refusal that says so`, () => {
    const world = new World();
    const bert = user('bert', { address: ip('192.168.99.77') });
    const server = world.server({ accounts: ['radius'] }, world.gateway([bert]));
    const link = world.link();
    link.dial();
    world.advance(1_000);
    server.answer(accepted(server.question!, given));
    world.advance(5_000);
    assert.deepEqual(server.whats(), [`auth-failed anna ${code}`]);
  });

for (const [what, routes] of [
  ['that lead into the tunnels', [net('192.168.99.64/26')]],
  ['that take the tunnels along', [net('192.168.0.0/16')]],
  ['that are too many', Array.from({ length: 65 }, (_, n) => net(`10.${n}.0.0/16`))],
] as const)
  test(`routes ${what} are a refusal that says so`, () => {
    const { world, server } = dialled();
    server.answer(accepted(server.question!, { routes }));
    world.advance(5_000);
    assert.deepEqual(server.whats(), ['auth-failed anna RADIUS_UNUSABLE']);
  });

test('encryption can be demanded, and never weakened', () => {
  const optional = { policy: 'optional', strengths: [128, 40], stateful: false } as const;
  const session = (mppe: ServerOptions['mppe'], wish: Terms['mppe']) => {
    const world = new World();
    const server = world.server({ accounts: ['radius'], mppe }, world.gateway([]));
    const link = world.link({ mppe: optional });
    link.dial();
    world.advance(1_000);
    server.answer(accepted(server.question!, {}, { mppe: wish }));
    world.advance(4_000);
    return server.server.sessions()[0]?.mppe ?? server.whats().at(-1);
  };
  const only128 = { policy: 'required', strengths: [128], stateful: false } as const;
  assert.equal(session(optional, { policy: 'required', strengths: [40] }), 'mppe-40');
  assert.equal(session(only128, { policy: 'optional', strengths: undefined }), 'mppe-128');
  assert.equal(
    session(only128, { policy: 'required', strengths: [40] }),
    'auth-failed anna RADIUS_UNUSABLE',
  );
  assert.equal(
    session(only128, { policy: 'optional', strengths: [] }),
    'auth-failed anna RADIUS_UNUSABLE',
  );
  const off = { policy: 'off', strengths: [128], stateful: false } as const;
  assert.equal(
    session(off, { policy: 'required', strengths: undefined }),
    'auth-failed anna RADIUS_UNUSABLE',
  );
});

test('one session at a time, by the name that was given; a Port-Limit allows more', () => {
  const { world, server, link } = dialled();
  server.answer(accepted(server.question!, { maxSessions: 2 }));
  world.advance(1_000);
  const second = world.link({}, { address: ip('198.51.100.77') });
  second.dial();
  world.advance(1_000);
  server.answer(accepted(server.question!, { maxSessions: 2 }));
  world.advance(1_000);
  assert.deepEqual([link.state, second.state], ['up', 'up']);
  const third = world.link({}, { address: ip('198.51.100.78') });
  third.dial();
  world.advance(1_000);
  server.answer(accepted(server.question!));
  world.advance(4_000);
  assert.equal(server.server.sessions().length, 1, 'the newest, without a limit of its own');
});

test('sessions of one user with an address each; one with an address again takes its place', () => {
  const { world, server, link } = dialled({ maxPerUser: 2 });
  const answerWith = (address: string) => {
    server.answer(accepted(server.question!, { address: ip(address) }));
    world.advance(4_000);
  };
  answerWith('192.168.99.70');
  const others = ['198.51.100.77', '198.51.100.78'].map((from, index) => {
    const other = world.link({ holdoff: 3_600_000, holdoffMax: 3_600_000 }, { address: ip(from) });
    other.dial();
    world.advance(1_000);
    answerWith(`192.168.99.7${index === 0 ? 1 : 0}`);
    return other;
  });
  assert.deepEqual(
    [link, ...others].map(({ state }) => state),
    ['waiting', 'up', 'up'],
  );
});

test('a reload leaves sessions alone whose accounts are elsewhere', () => {
  const { world, server, link } = dialled();
  server.answer(accepted(server.question!));
  world.advance(1_000);
  server.access.reconfigure([user('anna'), user('bert')]);
  server.server.reconfigure(server.server.options, world.clock.now);
  world.advance(1_000);
  assert.equal(link.state, 'up');
});

test('rates that come from there stand above those of the server, also after a reload of it', () => {
  const { world, server } = dialled({ rates: { up: 1000, down: 2000, burst: 80 } });
  const terms = { rates: { up: 64, down: undefined } };
  server.answer(accepted(server.question!, {}, terms));
  world.advance(1_000);
  const [path] = server.paths.calls.values();
  assert.deepEqual(path!.rates, { receive: 64, send: 2000, burst: 80 });
  const rates = { up: 9, down: 3000, burst: 80 };
  server.server.reconfigure({ ...server.server.options, rates }, world.clock.now);
  assert.deepEqual(path!.rates, { receive: 64, send: 3000, burst: 80 });
  assert.deepEqual(server.server.sessions()[0]!.rates, { up: 64, down: 3000, burst: 80 });
});

/** Callers by EAP; `answers` are those of the authority, one for each question. */
function dialledByEap(
  options: Partial<ServerOptions>,
  answers: readonly ((question: LoginQuestion) => LoginAnswer)[],
  users: readonly string[] = [],
): Scene & { readonly questions: readonly LoginQuestion[] } {
  const world = new World();
  const gateway = world.gateway(users.map((name) => user(name)));
  const server = world.server({ auth: ['eap'], ...options }, gateway);
  const link = world.link({ auth: ['eap'], holdoff: 3_600_000, holdoffMax: 3_600_000 });
  link.dial();
  const questions: LoginQuestion[] = [];
  for (const answer of answers) {
    world.advance(1_000);
    const { question } = server;
    assert(question !== undefined && !questions.includes(question));
    questions.push(question);
    server.answer(answer(question));
  }
  world.advance(5_000);
  return { world, server, link, questions };
}

const md5: LoginAnswer = {
  kind: 'challenge',
  request: Uint8Array.of(1, 7, 0, 7, 4, 1, 0),
  continuation: { server: 'main', state: Uint8Array.of(9) },
};

test('by EAP a challenge is passed on, and its answer goes to whoever has asked', () => {
  const proof = { success: '', keys: undefined };
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
  const mppe = { policy: 'off', strengths: [128], stateful: false } as const;
  const { questions, link } = dialledByEap({ accounts: ['radius'], mppe }, [
    () => md5,
    () => ({ kind: 'accepted', proof, authorization }),
  ]);
  const seen = questions.map(({ attempt: { evidence, username }, continues }) =>
    evidence.method === 'eap'
      ? [username, evidence.round, evidence.message.join(' '), continues?.state?.[0]]
      : [],
  );
  assert.deepEqual(seen, [
    ['anna', 0, seen[0]![2], undefined],
    ['anna', 1, '2 7 0 6 3 26', 9],
  ]);
  // Our link is content with a proof alone, and not with a Success.
  assert.notEqual(link.state, 'up');
});

test('by EAP a refusal in the middle counts once, and what cannot be passed on ends the call', () => {
  const after = { after: 2, time: 600_000 };
  const { server } = dialledByEap({ accounts: ['radius'], ban: after }, [
    () => md5,
    () => refused(undefined),
  ]);
  assert.deepEqual(server.whats(), ['auth-failed anna PEER_AUTH_FAILED']);
  const other = dialledByEap({ accounts: ['radius'] }, [
    () => ({ ...md5, request: Uint8Array.of(3, 7, 0, 4) }),
  ]);
  assert.deepEqual(other.server.whats(), ['caller-refused EAP_NOT_PASSED_ON']);
});

test('by EAP whoever is known here is asked here: first, or where nobody else has decided', () => {
  const here = dialledByEap({ accounts: ['local', 'radius'] }, [], ['anna']);
  assert.equal(here.link.state, 'up');
  assert.equal(here.server.question, undefined);
  assert.equal(here.server.server.sessions()[0]?.auth, 'eap');

  const late = dialledByEap({ accounts: ['radius', 'local'] }, [() => silence], ['anna']);
  assert.equal(late.link.state, 'up');
  assert.equal(late.server.server.sessions()[0]?.account?.source, 'local');

  // Not in the middle of another method.
  const middle = dialledByEap(
    { accounts: ['radius', 'local'] },
    [() => md5, () => silence],
    ['anna'],
  );
  assert.deepEqual(middle.server.whats(), ['auth-failed anna RADIUS_NO_ANSWER']);
});
