/** A damaged configuration is read, or refused with every fault told; nothing in the telling is secret, and what is read can be used. */
import assert from 'node:assert/strict';
import { parseConfiguration } from '../../../src/daemon/configuration/configuration.ts';
import {
  ConfigError,
  describeProblem,
  type Problem,
} from '../../../src/daemon/configuration/problems.ts';
import { checkLinkOptions } from '../../../src/ppp/options.ts';
import { encodePap } from '../../../src/wire/pap.ts';
import { textOf } from '../../../src/wire/text.ts';
import { harness } from '../harness.ts';
import { examples, isMisplaced, SECRET, uciWords } from '../uci-texts.ts';

/** Files are octets: half of a pair of UTF-16 is in none. */
function asRead<T extends Readonly<Record<string, string>>>(texts: T): T {
  const read = Object.entries(texts).map(([file, text]) => [file, Buffer.from(text).toString()]);
  return Object.fromEntries(read) as T;
}

export const configuration = harness({
  name: 'configuration',
  slow: true,
  generate(random) {
    const texts = { ...examples };
    const files = ['network', 'pptp', 'pptp_users'] as const;
    for (let times = random.between(1, 3); times > 0; times--) {
      const file = random.pick(files);
      texts[file] = random.damagedText(texts[file], uciWords);
    }
    return { texts, leaveOut: random.chance(2), stockClient: random.chance(2) };
  },
  run({ texts: made, leaveOut, stockClient }) {
    const texts = asRead(made);
    const mayShow = Object.values(texts).some(isMisplaced);
    const check = (problem: Problem) =>
      assert.ok(mayShow || !describeProblem(problem).includes(SECRET), 'a secret in a problem');
    try {
      const read = parseConfiguration(texts, { leaveOut, stockClient });
      for (const problem of [...read.warnings, ...read.faults])
        assert.ok(!describeProblem(problem).includes(SECRET));
      // What the packet path would throw at, the door must have refused.
      for (const link of read.links) {
        checkLinkOptions({
          mru: link.mtu,
          mppe: link.mppe,
          identity: { username: link.username, secret: link.secret, methods: link.auth },
          ip: { requestDns: false },
          ipv6: false,
          random: (length) => new Uint8Array(length),
          count: () => undefined,
        });
      }
      for (const { username, secret } of [...read.links, ...read.users]) {
        if (secret.kind !== 'password' || secret.password === undefined) continue;
        const [peerId, password] = [textOf(username), textOf(secret.password).octets];
        encodePap({ kind: 'authenticate-request', identifier: 1, peerId, password });
      }
      assert.equal(new Set(read.servers.map(({ name }) => name)).size, read.servers.length);
      assert.equal(
        new Set([...read.servers, ...read.links].map(({ device }) => device)).size,
        read.servers.length + read.links.length,
      );
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      assert.ok(error.problems.length > 0 && error.message.length > 0);
      error.problems.forEach(check);
    }
  },
});
