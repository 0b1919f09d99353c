/**
 * Rates with real TCP and UDP, both ways at the same time, beside a ping.
 *
 *     far 198.18.1.2 ---- 198.18.1.1 server
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { SessionDocument } from '../../src/daemon/reports/documents.ts';
import { Lab, type Gateway } from '../../tools/lab.ts';

const SECONDS = 4;
/** kbit/s */
const UP = 4000;
const DOWN = 8000;
const GATEWAY = '192.168.99.1';

const lab = new Lab('rates');
after(() => lab.close());

const rates = (up: number, down: number) =>
  `\toption rate_up '${up}'\n\toption rate_down '${down}'\n`;
const server = (own: string) => ({
  network: `config interface 'home'
	option proto 'pptpserver'
	option localip '${GATEWAY}'
	option network '192.168.99.0/24'
${own}`,
  pptp_users: "config user\n\toption username 'anna'\n\toption password 'secret word'\n",
});
const link = (own: string) => ({
  network: `config interface 'link'
	option proto 'pptpgw'
	option server '198.18.1.1'
	option username 'anna'
	option password 'secret word'
	option defaultroute '0'
${own}`,
});

/** What a run of iperf3 says of itself. */
interface Report {
  readonly end: { readonly sum_received?: { readonly bits_per_second: number } };
}

/**
 * Traffic in both directions at once, with a ping beside it, by what iperf3 has received and by the counters of the gateway
 * that limits: of IP packets, acknowledgments included.
 */
async function measure(far: string, limiting: Gateway, ...words: readonly string[]) {
  const run = async (port: number, ...more: readonly string[]): Promise<number> => {
    const { output } = await lab.run(
      far,
      ...(['iperf3', '-J', '-c', GATEWAY, '-p', String(port), '-t', String(SECONDS)] as const),
      ...words,
      ...more,
    );
    const received = (JSON.parse(output) as Report).end.sum_received;
    assert.ok(received !== undefined, output);
    return received.bits_per_second / 1000;
  };
  const began = performance.now();
  const before = await session(limiting);
  const ping = lab.run(far, 'ping', '-i', '0.1', '-c', String((SECONDS - 1) * 10), GATEWAY);
  const [up, down, { output }] = await Promise.all([run(5201), run(5202, '-R'), ping]);
  const now = await session(limiting);
  const elapsed = (performance.now() - began) / 1000;
  const passed = (count: 'rx_bytes' | 'tx_bytes') => ((now[count] - before[count]) * 8) / 1000;
  const [received, sent] = [passed('rx_bytes'), passed('tx_bytes')];
  const isServer = now.server !== undefined;
  near(isServer ? received : sent, elapsed, up, UP);
  near(isServer ? sent : received, elapsed, down, DOWN);
  const [, mean] = /= [\d.]+\/([\d.]+)\//.exec(output) ?? [];
  assert.ok(Number(mean) < 50, output);
}

/** @param passed kbit in `elapsed` seconds, in which iperf3 ran for SECONDS @param goodput kbit/s */
function near(passed: number, elapsed: number, goodput: number, rate: number): void {
  const text = `${passed.toFixed(0)} kbit passed, ${goodput.toFixed(0)} kbit/s received, of ${rate}`;
  assert.ok(passed > 0.97 * rate * SECONDS && passed < rate * (elapsed + 0.06), text);
  // Headers and the acknowledgments of the other direction are not in it.
  assert.ok(goodput > 0.88 * rate && goodput < 1.03 * rate, text);
}

async function session(gateway: Gateway): Promise<SessionDocument> {
  const [found] = await gateway.json<SessionDocument[]>('sessions');
  assert.ok(found !== undefined);
  return found;
}

test('TCP by the rate of a server, UDP by that of a link, both ways, and a ping does not wait', async () => {
  const [near1, far1] = [lab.namespace('server'), lab.namespace('far')];
  lab.join('outer', [
    [near1, '198.18.1.1/30'],
    [far1, '198.18.1.2/30'],
  ]);
  const home = await lab.gateway('server', near1, server(rates(UP, DOWN)));
  const far = await lab.gateway('far', far1, link(''));
  const { code, output } = await far.command('dial', 'link');
  assert.equal(code, 0, output);
  for (const port of ['5201', '5202']) {
    const iperf = lab.start(near1, 'iperf3', '-s', '-B', GATEWAY, '-p', port, '--forceflush');
    await iperf.line(/listening/);
  }
  const before = await session(home);
  assert.deepEqual([before.rate_up, before.rate_down], [UP, DOWN]);
  const { output: table } = await home.command('sessions');
  assert.match(table, /RATE UP, DOWN\n.* {2}4000 kbit\/s, 8000 kbit\/s/);

  await measure(far1, home);

  // Live: the server's go, the link gets some.
  home.configure(server(''));
  far.configure(link(rates(UP, DOWN)));
  for (const gateway of [home, far]) assert.equal((await gateway.command('reload')).code, 0);
  assert.equal((await session(far)).rate_up, UP);
  await measure(far1, far, '-u', '-l', '1300', '-b', `${2 * DOWN}k`);

  const { id, rate_up, rate_down, drops } = await session(home);
  assert.deepEqual([id, rate_up, rate_down], [before.id, undefined, undefined]);
  assert.ok(drops['overRate']! > 0);
});
