/** The daemon as a process, in a network namespace of its own: start, own bus, reload, capture, end. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ServerDocument, StatusDocument } from '../../src/daemon/reports/documents.ts';
import { UbusClient } from '../../src/ubus-js/index.ts';
import { inNamespace } from '../native/namespace.ts';
import { gateway, network } from './cli/gateway.ts';
import { folder, root, run, start, startProgram } from './cli/program.ts';

const devices = () => execFileSync('ip', ['-brief', 'link'], { encoding: 'utf8' });

inNamespace('daemon', import.meta.url, () => {
  test('it starts, says what it does, and ends cleanly with everything it made', async (context) => {
    const daemon = await gateway(context);
    assert.match(devices(), /^pptps-home /m);
    assert.doesNotMatch(devices(), /pptp-office/); // no device before a login
    daemon.process.kill('SIGTERM');
    const { code, stdout, stderr } = await daemon.ended;
    assert.deepEqual([code, stdout], [0, '']);
    assert.match(stderr, / pptp info: server home: listening on port 1723 of all networks/m);
    assert.ok(stderr.endsWith('pptp info: stopping\n'), stderr);
    assert.doesNotMatch(devices(), /pptps-home/);
    assert.equal(existsSync(daemon.socket), false);
  });

  test('commands and their exit codes', async (context) => {
    const daemon = await gateway(context);
    const status = await daemon.command('status');
    assert.equal(status.code, 0);
    assert.match(status.stdout, /^home +pptps-home +1723 +192\.168\.99\.1 +0 of 16$/m);
    assert.match(status.stdout, /^office +pptp-office +203\.0\.113\.9 +down/m);
    assert.match(status.stdout, /^no sessions$/m);

    const json = JSON.parse((await daemon.command('status', '--json')).stdout) as StatusDocument;
    assert.deepEqual(
      [json.servers.map(({ name }) => name), json.links.map(({ name }) => name), json.relays],
      [['home'], ['office'], []],
    );
    assert.deepEqual(await daemon.command('sessions'), {
      code: 0,
      stdout: 'no sessions\n',
      stderr: '',
    });
    assert.deepEqual(await daemon.command('dial', 'nowhere'), {
      code: 66,
      stdout: '',
      stderr: "pptp-gateway: there is no link 'nowhere'; there are: office\n",
    });
    assert.equal((await daemon.command('disconnect', '7')).code, 66);
    assert.equal((await daemon.command('disconnect', 'eve')).code, 66);
    assert.deepEqual(await daemon.command('failures'), {
      code: 0,
      stdout: 'no failures\n',
      stderr: '',
    });
  });

  test('a second daemon is refused and the first one goes on', async (context) => {
    const daemon = await gateway(context);
    const second = await run(context, [
      'run',
      '--config-dir',
      daemon.dir,
      '--socket',
      daemon.socket,
    ]);
    assert.deepEqual(second, {
      code: 1,
      stdout: '',
      stderr: `pptp-gateway: another pptp-gateway is running: it serves ${daemon.socket}\n`,
    });
    assert.equal((await daemon.command('status')).code, 0);
  });

  test('73: the port is in use', async (context) => {
    const other = createServer().listen(1723, '0.0.0.0');
    await once(other, 'listening');
    context.after(() => other.close());
    const dir = folder(context, { network });
    const words = ['run', '--config-dir', dir, '--socket', join(dir, 'ubus.sock')];
    const { code, stderr } = await run(context, words);
    assert.equal(code, 73);
    assert.match(stderr, /^pptp-gateway: TCP port 1723 is in use: .*$/m);
    assert.doesNotMatch(devices(), /pptps-home/);
  });

  test('a device of another program with our name is one clear line', async (context) => {
    execFileSync('ip', ['tuntap', 'add', 'pptps-home', 'mode', 'tap']);
    context.after(() => execFileSync('ip', ['link', 'del', 'pptps-home']));
    const dir = folder(context, { network });
    const words = ['run', '--config-dir', dir, '--socket', join(dir, 'ubus.sock')];
    const { code, stderr } = await run(context, words);
    assert.equal(code, 1);
    assert.match(stderr.trimEnd().split('\n').at(-1)!, /^pptp-gateway: .*pptps-home/);
    assert.doesNotMatch(stderr, /\n {4}at /);
  });

  test('a section with a fault is left out at the start, and taken up once it is mended', async (context) => {
    const wrong = network.replace(
      "option username 'anna'",
      "option username 'anna'\n\toption mtu 'abc'",
    );
    const daemon = await gateway(context, wrong);
    await daemon.says(
      /error: \/.*\/network:\d+, interface 'office', option 'mtu', value 'abc': expected .*\n.* pptp error: left out until they are mended: network\.office\n/,
    );
    assert.match(devices(), /^pptps-home /m);
    assert.equal((await daemon.command('dial', 'office')).code, 66);
    const status = async () =>
      JSON.parse((await daemon.command('status', '--json')).stdout) as StatusDocument;
    const left = await status();
    assert.deepEqual(
      [left.config, left.problems.map(({ section, option }) => `${section}.${option}`)],
      ['partial', ['office.mtu']],
    );
    assert.equal(left.problems[0]!.kept, false);
    assert.equal('value' in left.problems[0]!, false);
    const { code, stdout } = await daemon.command('reload');
    assert.equal(code, 78);
    assert.match(stdout, /\/network:\d+: network\.office\.mtu: expected .* \(left out\)$/m);
    assert.equal((await status()).config, 'partial');
    writeFileSync(join(daemon.dir, 'network'), network);
    assert.equal((await daemon.command('reload')).code, 0);
    assert.match((await daemon.command('status')).stdout, /^office /m);
    assert.deepEqual((await status()).problems, []);
  });

  test('with netifd a server waits until it is set up, and status says why it does not listen', async (context) => {
    const other = createServer().listen(1723, '0.0.0.0');
    await once(other, 'listening');
    context.after(() => other.close());
    const dir = folder(context, { network });
    const socket = join(dir, 'ubus.sock');
    const words = ['--config-dir', dir, '--socket', socket, '--ubus', join(dir, 'nobody')];
    const daemon = start(context, ['run', ...words, '--router', 'netifd']);
    await daemon.says(/is running/);
    const server = async () => {
      const { stdout } = await run(context, ['--socket', socket, 'status', '--json']);
      const [{ state, cause }] = (JSON.parse(stdout) as StatusDocument).servers as [ServerDocument];
      return { state, code: cause?.code, detail: cause?.detail };
    };
    assert.deepEqual(await server(), {
      state: 'waiting',
      code: 'INTERFACE_DOWN',
      detail: 'netifd has not set it up',
    });
    const bus = await UbusClient.connect(socket);
    context.after(() => bus.close());
    await bus.call('pptp', 'link_setup', { interface: 'home' });
    await daemon.says(/server home: TCP port 1723 is in use.*; next attempt in 30 s/);
    const failed = await server();
    assert.deepEqual([failed.state, failed.code], ['failed', 'PORT_IN_USE']);
    assert.match(failed.detail!, /^TCP port 1723 is in use/);
    const { stdout } = await run(context, ['--socket', socket, 'status']);
    assert.match(stdout, /^home .* 0 of 16 +failed: PORT_IN_USE .*TCP port 1723 is in use/m);
    await bus.call('pptp', 'link_teardown', { interface: 'home' });
    assert.equal((await server()).state, 'waiting');
  });

  test('passwords that others can read are told of once', async (context) => {
    const dir = folder(context, { network });
    chmodSync(join(dir, 'network'), 0o644);
    const socket = join(dir, 'ubus.sock');
    const daemon = start(context, ['run', '--config-dir', dir, '--socket', socket]);
    await daemon.says(/is running/);
    assert.equal((await run(context, ['--socket', socket, 'reload'])).code, 0);
    daemon.process.kill('SIGTERM');
    const { stderr } = await daemon.ended;
    assert.equal(stderr.match(/others can read it/g)?.length ?? 0, 1, stderr);
    assert.match(stderr, / pptp warning: \/.*\/network: there are passwords in it/m);
  });

  test('a reload takes up what is sound; what is wrong stays as it was, and is named', async (context) => {
    const daemon = await gateway(context);
    writeFileSync(join(daemon.dir, 'network'), network.replace("'home'", "'lab'"));
    assert.equal((await daemon.command('reload')).code, 0);
    assert.match(devices(), /^pptps-lab /m);
    assert.doesNotMatch(devices(), /pptps-home/);

    const lab = network.replace("'home'", "'lab'");
    const wrong = lab.replace('192.168.99.0/24', 'nonsense').replace("'anna'", "'berta'");
    writeFileSync(join(daemon.dir, 'network'), wrong);
    const told = await daemon.command('reload');
    assert.equal(told.code, 78);
    assert.match(
      told.stdout,
      /\/network:\d+: network\.lab\.network: expected a network.*\(as it was before\)$/m,
    );
    const status = await daemon.command('status');
    assert.match(
      status.stdout,
      /^Not in force as it stands in the files:\n.*\/network:\d+: network\.lab\.network: /m,
    );
    assert.match(status.stdout, /^lab +pptps-lab +1723 +192\.168\.99\.1 +0 of 16$/m);

    rmSync(join(daemon.dir, 'network'));
    daemon.process.kill('SIGHUP');
    await daemon.says(/the new configuration is refused; the old one stays in force/);
    assert.match((await daemon.command('status')).stdout, /^lab /m);

    writeFileSync(join(daemon.dir, 'network'), network);
    daemon.process.kill('SIGHUP');
    await daemon.says(/server home: listening[^]*server home: listening/); // the first one is of the start
    assert.doesNotMatch(devices(), /pptps-lab/);
  });

  test('a server whose port is in use keeps nothing else from being taken up', async (context) => {
    const daemon = await gateway(context);
    const other = createServer().listen(1999, '0.0.0.0');
    await once(other, 'listening');
    context.after(() => other.close());
    const second = `config interface 'second'
	option proto 'pptpserver'
	option localip '192.168.98.1'
	option network '192.168.98.0/24'
	option port '1999'
config interface 'third'
	option proto 'pptpserver'
	option localip '192.168.97.1'
	option network '192.168.97.0/24'
	option port '1998'
`;
    writeFileSync(join(daemon.dir, 'network'), network + second);
    const told = await daemon.command('reload');
    assert.equal(told.code, 78);
    assert.match(told.stdout, /^network\.second: TCP port 1999 is in use: .*\(left out\)$/m);
    const { servers } = JSON.parse(
      (await daemon.command('status', '--json')).stdout,
    ) as StatusDocument;
    assert.deepEqual(
      servers.map(({ name, state, cause }) => [name, state, cause?.code]),
      [
        ['home', 'listening', undefined],
        ['second', 'failed', 'PORT_IN_USE'],
        ['third', 'listening', undefined],
      ],
    );
    // One that runs already, and is to have the port, goes on as it was.
    writeFileSync(
      join(daemon.dir, 'network'),
      network.replace("'192.168.99.0/24'", "'192.168.99.0/24'\n\toption port '1999'"),
    );
    assert.match(
      (await daemon.command('reload')).stdout,
      /^network\.home: .*\(as it was before\)$/m,
    );
    assert.match((await daemon.command('status')).stdout, /^home +pptps-home +1723/m);
    other.close();
    assert.equal((await daemon.command('reload')).code, 0);
  });

  test('a link to nobody: dial, check and failures say why', async (context) => {
    const daemon = await gateway(
      context,
      network.replace("config interface 'home'", "config interface 'home'\n\toption disabled '1'"),
    );
    const dialled = await daemon.command('dial', 'office');
    assert.equal(dialled.code, 68);
    assert.match(dialled.stdout, /^office is \w+: NO_ROUTE There is no route to the server/);
    const checked = await daemon.command('check', 'office');
    assert.equal(checked.code, 68);
    assert.match(checked.stdout, /^checking office\n {2}name +ok/);
    assert.match(checked.stdout, /^ {2}tcp +failed/m);
    assert.match(checked.stdout, /^ {2}addresses +not reached/m);
    assert.match((await daemon.command('failures')).stdout, /office +\S* +/);
    assert.deepEqual(await daemon.command('hangup', 'office'), {
      code: 0,
      stdout: 'office is down\n',
      stderr: '',
    });
  });

  test('garbage on TCP 1723 ends that connection and nothing else; a capture shows it', async (context) => {
    const daemon = await gateway(context);
    const file = join(daemon.dir, 'x.pcap');
    const capture = start(context, ['--socket', daemon.socket, 'capture', file]);
    await capture.says(/recording/);
    const hostile = connect(1723, '127.0.0.1');
    hostile.on('error', () => undefined).resume();
    await once(hostile, 'connect');
    const closed = new Promise((resolve) => hostile.once('close', resolve));
    hostile.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(20));
    await closed;
    capture.process.kill('SIGINT');
    const { code, stdout } = await capture.ended;
    assert.equal(code, 0);
    assert.match(stdout, /^[1-9]\d* packets in /m);
    assert.ok(readFileSync(file).includes('GET / HTTP'));
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.deepEqual(
      readdirSync(join(daemon.dir, 'run')).filter((name) => name.endsWith('.pcap')),
      [],
    );
    assert.equal((await daemon.command('status')).code, 0);
  });

  test('a capture that cannot be written is refused before it starts', async (context) => {
    const daemon = await gateway(context);
    const { code, stderr } = await daemon.command('capture', join(daemon.dir, 'missing/x.pcap'));
    assert.equal(code, 1);
    assert.match(stderr, /^pptp-gateway: ENOENT: .*\n$/);
    assert.equal(
      (await daemon.command('capture', '--seconds', '1', join(daemon.dir, 'y'))).code,
      0,
    );
  });

  test('callers that are connected do not hold up the end', async (context) => {
    const daemon = await gateway(context);
    const silent = connect({ port: 1723, host: '127.0.0.1', allowHalfOpen: true });
    silent.on('error', () => undefined);
    context.after(() => silent.destroy());
    await once(silent, 'connect');
    const started = performance.now();
    daemon.process.kill('SIGINT');
    daemon.process.kill('SIGINT'); // as a terminal and a wrapper both do
    assert.equal((await daemon.ended).code, 0);
    assert.ok(performance.now() - started < 4_500);
  });

  test('a log that cannot be written does not end it', async (context) => {
    const dir = folder(context, { network, pptp_users: '', pptp: '' });
    const socket = join(dir, 'run', 'ubus.sock');
    const daemon = start(
      context,
      ['run', '--config-dir', dir, '--socket', socket],
      ['sh', '-c', 'exec "$@" 2>/dev/full', 'sh'],
    );
    const answers = async () => (await run(context, ['--socket', socket, 'status'])).code === 0;
    while (!(await answers())) assert.equal(daemon.process.exitCode, null);
    daemon.process.kill('SIGTERM');
    assert.equal((await daemon.ended).code, 0);
  });

  test('make run: a fresh user and password, and nothing left behind', async (context) => {
    const temporary = folder(context);
    const example = startProgram(context, [
      'env',
      `TMPDIR=${temporary}`,
      process.execPath,
      '--import',
      'tsx',
      join(root, 'tools/run.ts'),
    ]);
    await example.says(/is running/);
    const [dir] = readdirSync(temporary).filter((name) => name.startsWith('pptp-run-'));
    const path = join(temporary, dir!);
    assert.equal(statSync(path).mode & 0o777, 0o700);
    example.process.kill('SIGTERM');
    const { code, stdout } = await example.ended;
    assert.equal(code, 0);
    assert.match(stdout, /^ {2}password {5}[a-zA-Z2-9]{20}$/m);
    assert.match(
      stdout,
      /Add-VpnConnection .* -TunnelType Pptp -AuthenticationMethod MSChapv2 -EncryptionLevel Required/,
    );
    assert.equal(existsSync(path), false);
    assert.doesNotMatch(devices(), /pptps-home/);
  });
});
