import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Checks } from '../../../src/daemon/tunnels/checks.ts';
import { EchoCheck, type EchoTarget } from '../../../src/daemon/tunnels/echo-check.ts';
import { clock } from '../../../src/platform/platform.ts';
import type { ClientLinkStatus } from '../../../src/session/link/client-link-state.ts';
import { steps, type SessionStatus } from '../../../src/session/ports.ts';
import { cause } from '../../../src/wire/cause.ts';
import { session } from '../status.ts';

const live: SessionStatus = { ...session, kind: 'link', name: 'office' };

/** A link that is up, and answers echoes when the test says so. */
class Target implements EchoTarget {
  asked = 0;
  now = 0;
  status: ClientLinkStatus = { state: 'up', cause: undefined, retryAt: undefined, session: live };
  readonly link = { echoTime: undefined as number | undefined, status: () => this.status };

  feed(act: Parameters<EchoTarget['feed']>[0]): void {
    act({ askEcho: () => (this.asked += 1) }, this.now);
  }
}

test('a link that is up is asked by echo; it has passed every step when the answer is there', () => {
  const checks = new Checks();
  const target = new Target();
  target.now = clock.monotonic();
  const id = checks.startLive(target, live);
  const results = () => checks.status(id)!.steps.map(({ result }) => result);
  assert.equal(target.asked, 1);
  assert.equal(checks.status(id)?.done, false);
  assert.deepEqual(results().slice(4), ['ok', 'not reached', 'not reached', 'not reached', 'not reached']); // prettier-ignore
  target.link.echoTime = 12.34;
  const document = checks.status(id);
  assert.deepEqual([document?.done, document?.cause], [true, undefined]);
  assert.deepEqual(
    document?.steps.map(({ step, result }) => [step, result]),
    steps.map((step) => [step, 'ok']),
  );
  const details = Object.fromEntries(document.steps.map(({ step, detail }) => [step, detail]));
  assert.equal(details['tcp'], '203.0.113.9');
  assert.equal(details['lcp'], 'MTU 1400, echo answered after 12.3 ms');
  assert.equal(details['encryption'], 'mppe-128');
});

test('a session that ends meanwhile: the step fails with the cause of that', () => {
  const checks = new Checks();
  const target = new Target();
  const id = checks.startLive(target, live);
  target.status = {
    ...target.status,
    state: 'waiting',
    cause: cause('HANGUP'),
    session: undefined,
  };
  const document = checks.status(id);
  assert.equal(document?.cause?.code, 'HANGUP');
  assert.equal(document.steps.find(({ result }) => result === 'failed')?.step, 'lcp');
});

test('an echo may be lost: it is asked three times, and then there is no answer', () => {
  const target = new Target();
  const echo = new EchoCheck(target, live);
  for (target.now = 0; target.now < 6_000; target.now += 100)
    assert.equal(echo.look(target.now), undefined);
  assert.equal(target.asked, 3);
  assert.deepEqual(echo.look(6_000), { cause: { code: 'PEER_DEAD' } });
});

test('something else that goes on by itself is followed likewise', () => {
  const checks = new Checks();
  const begun = {
    name: 'main',
    steps: ['name', 'status'],
    passed: new Map([['name', '192.0.2.10']]),
    done: false,
    cause: cause('RADIUS_NO_ANSWER', 'main'),
  };
  const id = checks.start(() => begun);
  assert.equal(checks.status(id)?.done, false);
  begun.done = true;
  const { steps: shown, cause: why } = checks.status(id)!;
  assert.deepEqual(shown, [
    { step: 'name', result: 'ok', detail: '192.0.2.10' },
    { step: 'status', result: 'failed', detail: '' },
  ]);
  assert.equal(why?.code, 'RADIUS_NO_ANSWER');
});

test('old checks are forgotten, the newest are kept; not too many at a time', () => {
  const checks = new Checks();
  const answering = new Target();
  answering.link.echoTime = 1;
  const ids = Array.from({ length: 100 }, () => {
    const id = checks.startLive(answering, live);
    checks.status(id);
    return id;
  });
  assert.equal(new Set(ids).size, 100);
  const kept = ids.filter((id) => checks.status(id) !== undefined);
  assert.deepEqual(kept, ids.slice(-16));
  assert.equal(checks.status(12345), undefined);
  const silent = new Target();
  silent.now = clock.monotonic();
  for (let n = 0; n < 4; n++) checks.startLive(silent, live);
  assert.throws(() => checks.startLive(silent, live), /4 checks are running already/);
});
