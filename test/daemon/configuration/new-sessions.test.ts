/**
 * What a changed option that ends nothing does to a session, in virtual time: one of class new-sessions leaves the session that is
 * up as it was and makes another one of the next; one of class live never makes such a difference between the two.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  parseConfiguration,
  type Configuration,
} from '../../../src/daemon/configuration/configuration.ts';
import type { Applies } from '../../../src/daemon/configuration/option-table.ts';
import { describe, ip, World } from '../../support/world.ts';
import { changes, tables, text, type Change, type Kind, type Section } from './changes.ts';

/** Our own links ask for none, and whom local accounts know nobody else is asked about: their sessions show nothing of it. */
const unseen: readonly string[] = ['client_wins', 'client_route', 'domain', 'accounts'];

function configuration(kind?: Kind, more?: Section): Configuration {
  const of = (each: Kind) => text(each, each === kind ? more : {});
  return parseConfiguration({
    network: of('server') + of('link'),
    pptp_users: of('user'),
    pptp: of('globals'),
  });
}

/**
 * All that happens in ten minutes to a link and its session, or without GRE to its attempts.
 * @param after what comes after the link has begun; undefined: nothing new
 */
function course(before: Configuration, after: Configuration | undefined, hasGre: boolean): string {
  const world = new World();
  const home = before.servers[0]!;
  const server = world.server(home, world.gateway(before.users, before.limits), ip('198.18.1.1'));
  const link = world.link(before.links[0]);
  const lines: string[] = [];
  const send = world.gre.send.bind(world.gre);
  world.gre.conditions.drop = () => !hasGre;
  world.gre.send = (from, to, callId, frame) => {
    lines.push(`${world.clock.now} ${from} ${Buffer.from(frame).toString('hex')}`);
    send(from, to, callId, frame);
  };
  link.dial();
  world.advance(5_000);
  // With something changed, coming up or not may be the difference.
  if (before === plain) assert.equal(link.state, hasGre ? 'up' : 'connecting');
  if (after !== undefined) {
    server.gateway.reconfigure(after.limits);
    server.access.reconfigure(after.users);
    server.server.reconfigure(after.servers[0]!, world.clock.now);
    link.link.reconfigure(after.links[0]!, world.clock.now);
  }
  for (let second = 0; second < 600; second++) {
    world.advance(1_000);
    for (const event of [...server.events.splice(0), ...link.events.splice(0)])
      lines.push(`${second} ${describe(event)}`);
  }
  return lines.join('\n');
}

const plain = configuration();
const isOther = (changed: Configuration, makes: 'the next session' | 'this one') =>
  [true, false].some((hasGre) =>
    makes === 'this one'
      ? course(plain, changed, hasGre) !== course(plain, plain, hasGre)
      : course(changed, undefined, hasGre) !== course(plain, undefined, hasGre),
  );

test('the configuration itself makes no difference when it is read again', () => {
  for (const hasGre of [true, false])
    assert.equal(course(plain, plain, hasGre), course(plain, undefined, hasGre));
});

for (const kind of ['server', 'link', 'user', 'globals'] as const)
  for (const [name, { applies }] of Object.entries(
    tables[kind] as Readonly<Record<string, { applies: Applies }>>,
  )) {
    if (applies !== 'live' && applies !== 'new-sessions') continue;
    test(`${kind}, ${name}: ${applies}`, () => {
      const { to } = (changes[kind] as Readonly<Record<string, Change>>)[name]!;
      const changed = configuration(kind, { [name]: to });
      const next = isOther(changed, 'the next session');
      const running = isOther(changed, 'this one');
      if (applies === 'live') assert.ok(running || !next, 'only later sessions have it');
      else {
        assert.equal(running, false, 'the session that is up does not change');
        assert.equal(next, !unseen.includes(name), 'later ones do');
      }
    });
  }
