/**
 * Passthrough on the real kernel, with scripted ends: many calls, colliding and guessed ids, floods, refusals, reload.
 *
 *     one 192.168.1.10 ---- lan1 192.168.1.1 router 203.0.113.2 wan ---- 203.0.113.1 outside
 *     two 192.168.2.10 ---- lan2 192.168.2.1
 */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import type { RelayDocument, StatusDocument } from '../../../src/daemon/reports/documents.ts';
import { Lab, type Gateway, type Program } from '../../../tools/lab.ts';

const script = resolve(import.meta.dirname, 'relay-end.ts');
const outside = '203.0.113.1';

interface Ready {
  readonly calls: number;
  readonly distinct: number;
  readonly echoed: number;
  readonly median: number;
}

export function testPassthrough(backend: 'ebpf' | 'relay'): void {
  const lab = new Lab(`relays-${backend}`);
  let router: string;
  let one: string;
  let two: string;
  let far: string;
  let gateway: Gateway;
  const programs: Program[] = [];

  const relay = (options = '', name = 'branch') => `config relay '${name}'
	list src 'lan1'
	list src 'lan2'
	option dest 'wan'
	option backend '${backend}'
${options}`;

  before(async () => {
    router = lab.namespace('router');
    one = lab.namespace('one');
    two = lab.namespace('two');
    far = lab.namespace('far');
    lab.join('lan1', [
      [router, '192.168.1.1/24'],
      [one, '192.168.1.10/24'],
    ]);
    lab.join('lan2', [
      [router, '192.168.2.1/24'],
      [two, '192.168.2.10/24'],
    ]);
    lab.join('wan', [
      [router, '203.0.113.2/24'],
      [far, `${outside}/24`],
    ]);
    await run(one, 'ip', 'route', 'add', 'default', 'via', '192.168.1.1');
    await run(two, 'ip', 'route', 'add', 'default', 'via', '192.168.2.1');
    await run(router, 'sysctl', '-qw', 'net.ipv4.ip_forward=1');
    await nft(
      `table ip nat { chain post { type nat hook postrouting priority srcnat; oifname "wan" masquerade; }; }`,
    );
    gateway = await lab.gateway('router', router, { network: '', pptp: relay() });
  });

  afterEach(async () => {
    await Promise.all(programs.splice(0).map((program) => program.stop()));
    await configure(relay());
  });

  after(() => lab.close());

  async function run(
    namespace: string,
    ...command: readonly [string, ...string[]]
  ): Promise<string> {
    const { code, output } = await lab.run(namespace, ...command);
    assert.equal(code, 0, output);
    return output;
  }

  async function nft(script: string): Promise<string> {
    return await run(router, 'nft', script);
  }

  function end(namespace: string, ...words: readonly string[]): Program {
    const program = lab.start(namespace, process.execPath, '--import', 'tsx', script, ...words);
    programs.push(program);
    return program;
  }

  async function server(...words: readonly string[]): Promise<Program> {
    const program = end(far, 'server', outside, ...words);
    await program.line(/listening/);
    return program;
  }

  async function client(
    namespace: string,
    ...words: readonly string[]
  ): Promise<{ program: Program; ready: Ready }> {
    const program = end(namespace, 'client', outside, ...words);
    const line = await program.line(/ready \{.*\}/);
    return { program, ready: JSON.parse(line.slice('ready '.length)) as Ready };
  }

  async function configure(pptp: string): Promise<void> {
    gateway.configure({ pptp });
    const { code, output } = await gateway.command('reload');
    assert.equal(code, 0, output);
  }

  async function branch(): Promise<RelayDocument> {
    const { relays } = await gateway.json<StatusDocument>('status');
    return relays.find(({ name }) => name === 'branch')!;
  }

  async function elements(): Promise<boolean> {
    return (await nft('list table ip pptp_gateway_relay')).includes('elements');
  }

  test('clients with the same call ids reach one server, several calls per connection', async () => {
    await server();
    const [a, b] = await Promise.all([
      client(one, 'one', '2', '8', '7'),
      client(two, 'two', '2', '8', '7'),
    ]);
    for (const { ready } of [a, b])
      assert.deepEqual({ ...ready, median: 0 }, { calls: 16, distinct: 16, echoed: 16, median: 0 });
    const { calls, clients, connections } = await branch();
    assert.deepEqual([calls.length, clients, connections], [32, 2, 4]);
    for (const call of calls) {
      assert.equal(call.client_callid, 7);
      assert.deepEqual([call.rx_packets, call.tx_packets], [1, 1], JSON.stringify(call));
      assert.equal(call.control_rx_bytes, 168);
    }
    const table = await nft('list table ip pptp_gateway_relay');
    const throughTables = [...table.matchAll(/ counter packets 1 bytes 48 :/g)].length;
    assert.equal(throughTables, backend === 'ebpf' ? 0 : 64);
    await Promise.all([a.program.stop(), b.program.stop()]);
    await gateway.process.line(/down HANGUP.*rx 48 octets 1 packets tx 48 octets 1 packets/);
    await gone();
  });

  test('our own client makes several calls on one connection', async () => {
    await server();
    const program = end(one, 'own', outside, 'one', '2', '12');
    const line = await program.line(/ready \{.*\}/);
    const ready = JSON.parse(line.slice('ready '.length)) as Ready;
    assert.deepEqual([ready.calls, ready.distinct, ready.echoed], [24, 24, 24]);
    const { calls, connections } = await branch();
    assert.deepEqual([calls.length, connections], [24, 2]);
    await program.stop();
    await gone();
  });

  /** Nothing of any call is left in the kernel. */
  async function gone(): Promise<void> {
    for (let tries = 0; await elements(); tries++) {
      assert.ok(tries < 100, 'elements of ended calls are left');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  test('a server that gives every call the same id disturbs nobody else', async () => {
    const far = await server('same-id');
    const { program, ready } = await client(one, 'one', '2', '2');
    assert.deepEqual([ready.calls, ready.distinct], [4, 4]); // told apart all the same
    assert.doesNotMatch(program.output, /foreign/);
    await far.stop();
    await program.line(/closed[^]*closed/);
    await gone();
  });

  test('guessed ids reach neither another client nor a call of the server', async () => {
    const far = await server();
    const { program, ready } = await client(one, 'one', '1', '20');
    assert.equal(ready.echoed, 20);
    await end(two, 'guess', outside).line(/guessed/);
    // From outside, as if the server's address were enough: another one has another address.
    await end(two, 'guess', '192.168.1.10').line(/guessed/);
    assert.doesNotMatch(far.output, /forged/);
    assert.doesNotMatch(program.output, /foreign (?!forged)/);
    assert.match(await nft('list chain ip pptp_gateway_relay postrouting'), /counter packets 20 /);
    assert.equal((await branch()).calls.length, 20);
  });

  test('500 calls at once, and what a call costs', async (t) => {
    await configure(relay('	option max_per_client 16\n'));
    await server();
    const { ready } = await client(one, 'one', '10', '50');
    assert.deepEqual([ready.calls, ready.distinct, ready.echoed], [500, 500, 500]);
    assert.equal((await branch()).calls.length, 500);
    // The same ends without a relay: the router masquerades TCP, and could not tell the packets of 50 calls apart.
    await configure('');
    const direct = await client(one, 'silent', '1', '50');
    t.diagnostic(
      `call set-up, median: ${ready.median.toFixed(2)} ms relayed, ${direct.ready.median.toFixed(2)} ms direct`,
    );
  });

  test('a flood of half-open connections is bounded, and another client gets its call', async () => {
    await configure(relay('	option max_per_client 8\n	option max_half_open 8\n'));
    await server();
    const flood = end(two, 'flood', outside, '100');
    await flood.line(/closed 92/);
    assert.equal((await branch()).connections, 8);
    await gateway.process.line(/refused TOO_MANY_HALF_OPEN/);
    const counters = await gateway.command('counters');
    assert.match(counters.output, /relay refused: TOO_MANY_HALF_OPEN +\d+/);
    await flood.stop();
    const { ready } = await client(one, 'one', '1', '1');
    assert.equal(ready.echoed, 1);
  });

  test('a server that is not allowed, and our own port, are refused with a clear line', async () => {
    await configure(relay("	list server '198.51.100.0/24'\n"));
    await server();
    const from = gateway.process.output.length;
    const refused = end(one, 'flood', outside, '1');
    await refused.line(/closed 1/);
    await gateway.process.line(
      /client 192\.168\.1\.10: refused DESTINATION_NOT_ALLOWED.*203\.0\.113\.1/,
      from,
    );
    const [, port] = /redirect to :(\d+)/.exec(await nft('list table ip pptp_gateway_relay'))!;
    await run(one, 'sh', '-c', `nc -d -w 5 192.168.1.1 ${port!} </dev/null`);
    await gateway.process.line(/client 192\.168\.1\.10: refused RELAY_LOOP/, from);
    // The router itself, as a destination, is not even redirected.
    const { code } = await lab.run(one, 'nc', '-d', '-w', '5', '192.168.1.1', '1723');
    assert.equal(code, 1);
  });

  test('a server that does not answer is a refusal with its cause', async () => {
    const from = gateway.process.output.length;
    await end(one, 'client', outside, 'one', '1', '1').line(/closed/);
    await gateway.process.line(/server 203\.0\.113\.1: refused CONNECT_REFUSED/, from);
    const failures = await gateway.json<{ name: string; cause: { code: string } }[]>('failures');
    assert.ok(
      failures.some(({ name, cause }) => name === 'branch' && cause.code === 'CONNECT_REFUSED'),
    );
  });

  test('a call is ended on request, by its id', async () => {
    const far = await server();
    const { program } = await client(one, 'one', '1', '2');
    const [first, second] = (await branch()).calls;
    assert.equal((await gateway.command('disconnect', String(first!.id))).code, 0);
    await far.line(/cleared/);
    await program.line(/CallDisconnectNotify/);
    assert.deepEqual(
      (await branch()).calls.map(({ id }) => id),
      [second!.id],
    );
    assert.equal((await gateway.command('disconnect', String(second!.id))).code, 0);
    await program.line(/closed/);
    await gone();
  });

  test('relays come, change and go without disturbing each other', async () => {
    await server();
    const { program } = await client(one, 'one', '1', '1');
    const [call] = (await branch()).calls;
    const other =
      "config relay 'other'\n	option direction 'inbound'\n	option src 'wan'\n	option dest 'lan2'\n	option dest_ip '192.168.2.10'\n";
    await configure(relay('	option max_connections 5\n') + other);
    assert.deepEqual(
      (await branch()).calls.map(({ id }) => id),
      [call!.id],
    );
    assert.match(await nft('list table ip pptp_gateway_relay'), /fib daddr \. iif type local/);
    await configure(relay());
    assert.doesNotMatch(
      await nft('list table ip pptp_gateway_relay'),
      /fib daddr \. iif type local/,
    );
    assert.deepEqual(
      (await branch()).calls.map(({ id }) => id),
      [call!.id],
    );
    await configure('');
    await program.line(/closed/);
    assert.doesNotMatch(await run(router, 'nft', 'list', 'tables'), /pptp_gateway/);
  });

  test('rules that somebody flushed are made anew with the next call, or the next reload', async () => {
    await server();
    const first = await client(one, 'one', '1', '1');
    await nft('delete table ip pptp_gateway_relay');
    await configure(relay());
    const second = await client(two, 'two', '1', '1');
    assert.equal(second.ready.echoed, 1);
    // The control connection that is there already asks for its next call: no rule is left that would redirect a new one.
    assert.equal((await branch()).calls.length, 2);
    assert.equal(
      (await nft('list map ip pptp_gateway_relay id_of')).match(/0x\w+ : 0x\w+/g)?.length,
      4,
    );
    await first.program.stop();
  });

  test('where nft refuses, a relay has failed and says why; the rest runs', async () => {
    const dir = `${lab.dir}/bare`;
    const server =
      "config interface 'home'\n	option proto 'pptpserver'\n	option localip '192.168.99.1'\n	option network '192.168.99.0/24'\n";
    mkdirSync(dir);
    writeFileSync(`${dir}/network`, server);
    writeFileSync(`${dir}/pptp`, relay().replace(`backend '${backend}'`, "backend 'auto'"));
    const program = resolve(import.meta.dirname, '../../../dist/pptp-gateway.js');
    const command = `mount --bind /bin/false "$(readlink -f "$(command -v nft)")" && exec "$0" "$@"`;
    const words = [
      process.execPath,
      program,
      'run',
      '--config-dir',
      dir,
      '--socket',
      `${dir}/run/control.sock`,
    ];
    const bare = lab.start(two, 'unshare', '--mount', 'sh', '-c', command, ...words);
    programs.push(bare);
    await bare.line(/relay branch: not working: FIREWALL_FAILED/);
    await bare.line(/is running/);
    const { output } = await lab.run(
      two,
      process.execPath,
      program,
      '--socket',
      `${dir}/run/control.sock`,
      'status',
      '--json',
    );
    const { relays, servers } = JSON.parse(output) as StatusDocument;
    assert.deepEqual(
      [relays[0]?.state, relays[0]?.cause?.code, servers[0]?.name],
      ['failed', 'FIREWALL_FAILED', 'home'],
    );
    assert.equal((await bare.stop()).code, 0);
  });

  test('nftables flushed by somebody is mended within seconds, also without a call', async () => {
    const listing = () => nft('list table ip pptp_gateway_relay');
    const before = await listing();
    const from = gateway.process.output.length;
    await nft('flush ruleset');
    await gateway.process.line(/table pptp_gateway_relay: had gone, and is put back/, from);
    assert.equal(await listing(), before);
    await nft(
      `table ip nat { chain post { type nat hook postrouting priority srcnat; oifname "wan" masquerade; }; }`,
    );
    await server();
    const { program } = await client(one, 'one', '1', '2', '7');
    assert.ok(await elements());
    await program.stop();
    await gone();
  });
}
