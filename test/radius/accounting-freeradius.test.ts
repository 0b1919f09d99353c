/** Against FreeRADIUS: records land in its SQL table, also when it or we are killed; radclient ends and changes sessions. */
import assert from 'node:assert/strict';
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { datagrams } from '../../src/platform/platform.ts';
import { DynamicAuthorization } from '../../src/radius/dynamic-authorization.ts';
import type { Wanted } from '../../src/radius/dynamic-request.ts';
import { SharedSecret } from '../../src/radius/shared-secret.ts';
import { TerminateCause } from '../../src/radius/terminate-cause.ts';
import { collect } from '../interop/namespace.ts';
import { LineLog } from '../interop/line-log.ts';
import { inNamespace } from '../native/namespace.ts';
import { FreeRadius } from '../support/freeradius.ts';
import { LiveAccounting } from './accounting-live.ts';
import { accounted, nas, traffic } from './accounting-world.ts';

const DAEMON = fileURLToPath(new URL('./accounting-daemon.ts', import.meta.url));

inNamespace('FreeRADIUS and its table', import.meta.url, () => {
  describe('accounting', () => {
    let freeradius: FreeRadius;
    let folder: string;
    before(async () => {
      folder = mkdtempSync(join(tmpdir(), 'accounting-'));
      freeradius = await FreeRadius.start({ sqlite: true });
    });
    after(async () => {
      await freeradius.stop();
      rmSync(folder, { recursive: true });
    });

    const rows = () =>
      JSON.parse(
        execFileSync(
          'sqlite3',
          [
            '-cmd',
            '.timeout 10000',
            '-json',
            join(freeradius.folder, 'radius.db'),
            'SELECT * FROM radacct',
          ],
          {
            encoding: 'utf8',
          },
        ) || '[]',
      ) as Record<string, unknown>[];

    it('makes a row of a session, to the octet', async () => {
      const live = new LiveAccounting(join(folder, 'one'));
      const counters = traffic(5 * 2 ** 32 + 123, 2 ** 32 - 1);
      const begun = Math.floor(Date.now() / 1000);
      live.feed((machine, now) => machine.handleOn(nas, now));
      live.feed((machine, now) =>
        machine.handleStart(accounted('whole', { username: 'zoë' }), now),
      );
      await live.idle();
      const [open] = rows();
      assert.equal(open!['acctstoptime'], null);
      live.feed((machine, now) =>
        machine.handleStop('whole', counters, TerminateCause.IdleTimeout, now),
      );
      await live.idle();
      live.close();
      const [row, ...more] = rows();
      assert.equal(more.length, 0);
      const { acctstarttime, acctstoptime, radacctid, acctuniqueid, ...rest } = row!;
      assert.ok(typeof radacctid === 'number' && /^[0-9a-f]{32}$/.test(String(acctuniqueid)));
      assert.ok(
        Math.abs(Number(acctstarttime) - begun) <= 1 &&
          Number(acctstoptime) >= Number(acctstarttime),
      );
      const expected: Record<string, unknown> = {
        acctsessionid: 'whole',
        username: 'zoë',
        nasipaddress: '192.0.2.1',
        nasportid: 'home',
        nasporttype: 'Virtual',
        acctauthentic: 'RADIUS',
        acctinputoctets: counters.inputOctets,
        acctoutputoctets: counters.outputOctets,
        calledstationid: '203.0.113.1',
        callingstationid: '198.51.100.1',
        acctterminatecause: 'Idle-Timeout',
        servicetype: 'Framed-User',
        framedprotocol: 'PPP',
        framedipaddress: '192.168.99.10',
      };
      for (const [name, value] of Object.entries(expected))
        assert.deepEqual(rest[name], value, name);
      assert.deepEqual(live.troubles, []);
    });

    it('has a Stop for each Start when we are killed, and when FreeRADIUS is', async () => {
      const started = new Set<string>();
      const octets = new Map<string, number>();
      const daemons: Daemon[] = [];
      const run = (mode: string) => {
        const daemon = new Daemon(join(folder, 'killed'), mode);
        daemons.push(daemon);
        return daemon;
      };
      const read = ({ log }: Daemon) => {
        for (const line of log.lines) {
          const [what, id, count] = line.split(' ');
          if (what === 'start') started.add(id!);
          if (what === 'stop') octets.set(id!, Number(count));
        }
      };
      const first = run('run');
      await first.log.waitFor(/-30$/);
      await first.kill();
      const second = run('run');
      await second.log.waitFor(/-20$/);
      await freeradius.kill();
      await second.log.waitFor(/-40$/);
      await second.kill();
      const third = run('run');
      await third.log.waitFor(/-20$/);
      await freeradius.restart();
      third.tellBack();
      await third.log.waitFor(/-40$/);
      await freeradius.kill();
      await third.kill();
      await freeradius.restart();
      const last = run('drain');
      assert.equal((await last.ended).code, 0, last.log.text);
      for (const daemon of daemons) read(daemon);
      assert.ok(started.size > 100 && octets.size > 50, `${started.size}, ${octets.size}`);
      const table = new Map(rows().map((row) => [row['acctsessionid'] as string, row]));
      assert.equal(table.size, rows().length, 'two rows of one session');
      for (const id of started) {
        const row = table.get(id);
        assert.ok(row !== undefined, `no row of ${id}`);
        assert.ok(row['acctstoptime'] !== null, `no Stop of ${id}`);
        const told = octets.get(id);
        if (told !== undefined) assert.equal(row['acctinputoctets'], told, id);
        assert.ok(['User-Request', 'NAS-Reboot'].includes(String(row['acctterminatecause'])));
      }
      assert.ok([...table.values()].every((row) => row['acctstoptime'] !== null));
    });
  });

  describe('radclient', () => {
    it('ends and changes sessions, and is told why not', async (context) => {
      const sessions = [
        accounted('s1'),
        accounted('s2', { username: 'bert', address: 0x0a000002 }),
      ];
      const acts: { sessions: readonly string[]; wanted: Wanted }[] = [];
      const machine = new DynamicAuthorization(
        {
          clients: new Map([
            ['127.0.0.1', { name: 'radclient', secret: new SharedSecret('coa secret') }],
          ]),
          nas: { identifier: nas.identifier, isOwnAddress: (address) => address === nas.address },
          window: 300_000,
          needsMessageAuthenticator: true,
          needsEventTimestamp: true,
        },
        {
          random: (length) => new Uint8Array(length),
          count: () => undefined,
          wallClock: Date.now,
          session: (id) => sessions.find(({ call }) => call.sessionId === id),
          sessions: () => sessions,
        },
      );
      const listener = await datagrams.listen(3799, {
        datagram(octets, from) {
          machine.handleDatagram(octets, from, performance.now());
          for (let output; (output = machine.poll()) !== undefined;) {
            if (output.kind === 'send') listener.send(output.octets, output.to);
            else if (output.kind === 'act') {
              acts.push(output);
              machine.handleDone(output.request, undefined);
            }
          }
        },
        failed: (error) => assert.fail(error),
      });
      context.after(() => listener.close());
      const proof = `Event-Timestamp = ${Math.floor(Date.now() / 1000)}, Message-Authenticator = 0x00`;
      const cases: [kind: string, attributes: string, answer: RegExp][] = [
        ['disconnect', `Acct-Session-Id = "s1", ${proof}`, /Received Disconnect-ACK/],
        [
          'disconnect',
          `User-Name = "bert", Framed-IP-Address = 10.0.0.2, ${proof}`,
          /Received Disconnect-ACK/,
        ],
        [
          'disconnect',
          `User-Name = "carl", ${proof}`,
          /Received Disconnect-NAK[^]*Error-Cause = Session-Context-Not-Found/,
        ],
        [
          'disconnect',
          `User-Name = "bert", NAS-Identifier = "other", ${proof}`,
          /Error-Cause = NAS-Identification-Mismatch/,
        ],
        ['disconnect', `User-Name = "bert"`, /Error-Cause = Missing-Attribute/],
        [
          'coa',
          `Acct-Session-Id = "s2", Session-Timeout = 60, Proxy-State = 0x0102, State = 0x03, ${proof}`,
          /Received CoA-ACK[^]*Proxy-State = 0x0102[^]*State = 0x03/,
        ],
        [
          'coa',
          `Acct-Session-Id = "s2", Mikrotik-Rate-Limit = "1M/2M", ${proof}`,
          /Received CoA-ACK/,
        ],
        [
          'coa',
          `Acct-Session-Id = "s2", Framed-MTU = 1400, ${proof}`,
          /Received CoA-NAK[^]*Error-Cause = Unsupported-Attribute/,
        ],
      ];
      for (const [kind, attributes, answer] of cases)
        assert.match(await radclient(kind, attributes, 'coa secret'), answer);
      assert.match(
        await radclient('disconnect', `User-Name = "bert", ${proof}`, 'wrong'),
        /No reply from server/,
      );
      assert.deepEqual(
        acts.map(({ sessions: ids, wanted }) => [ids, wanted.kind]),
        [
          [['s1'], 'disconnect'],
          [['s2'], 'disconnect'],
          [['s2'], 'change'],
          [['s2'], 'change'],
        ],
      );
    });
  });
});

class Daemon {
  readonly log = new LineLog('daemon');
  readonly ended: ReturnType<typeof collect>;
  readonly #child: ChildProcess;

  constructor(folder: string, mode: string) {
    this.#child = spawn(process.execPath, ['--import', 'tsx', DAEMON, folder, mode], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.ended = collect(this.#child, this.log);
  }

  tellBack(): void {
    this.#child.stdin!.write('back\n');
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.ended;
  }
}

/** What it says, as far as it says more than nothing: it ends with 1 where there is a NAK. */
async function radclient(kind: string, attributes: string, secret: string): Promise<string> {
  const child = spawn('radclient', ['-x', '-t', '1', '-r', '1', '127.0.0.1:3799', kind, secret], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const log = new LineLog('radclient');
  const ended = collect(child, log);
  child.stdin.end(attributes);
  await once(child.stdin, 'finish');
  await ended;
  return log.text;
}
