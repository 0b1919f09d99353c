/**
 * `make demo`: a server and a client in two network namespaces joined by a veth, MS-CHAPv2 with MPPE-128, ping and iperf3
 * through the tunnel both ways, then the status tables of both ends. DEMO_SECONDS sets how long each iperf3 run lasts.
 * It leaves nothing behind, also after Ctrl-C.
 *
 *       namespace server                              namespace client
 *       home: pptps-home 192.168.99.1/24                office: pptp-office 192.168.99.x
 *       outer 198.18.0.1/30  <------- veth ------->     outer 198.18.0.2/30
 */
import { randomBytes } from 'node:crypto';
import { Lab, type Result } from './lab.ts';

const seconds = Number(process.env['DEMO_SECONDS'] ?? 4);
const password = randomBytes(12).toString('base64url');
const serverAddress = '192.168.99.1';

if (!Number.isInteger(seconds) || seconds < 1 || seconds > 3600)
  fail('DEMO_SECONDS: expected a whole number from 1 to 3600');
if (process.getuid?.() !== 0) fail('the demo needs root: it makes network namespaces');

const lab = new Lab('demo');
let interrupted = false as boolean; // set by a signal
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    interrupted = true;
    say(`\n${signal}: cleaning up`);
    void lab.close().then(() => process.exit(130));
  });
}

try {
  await demo();
} catch (error) {
  if (!interrupted) {
    say(`demo failed: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
} finally {
  if (!interrupted) await lab.close();
}

async function demo(): Promise<void> {
  const serverSide = lab.namespace('server');
  const clientSide = lab.namespace('client');
  lab.join('outer', [
    [serverSide, '198.18.0.1/30'],
    [clientSide, '198.18.0.2/30'],
  ]);
  say(`Two network namespaces joined by a veth: ${serverSide} and ${clientSide}.`);

  const server = await lab.gateway('server', serverSide, {
    network: `config interface 'home'
	option proto 'pptpserver'
	option localip '${serverAddress}'
	option network '192.168.99.0/24'
`,
    pptp_users: `config user 'demo'
	option username 'demo'
	option password '${password}'
`,
  });
  const client = await lab.gateway('client', clientSide, {
    network: `config interface 'office'
	option proto 'pptpgw'
	option server '198.18.0.1'
	option username 'demo'
	option password '${password}'
	option defaultroute '0'
	list route '192.168.99.0/24'
`,
  });

  say('\nDialling.');
  say(output(await client.command('dial', 'office')));
  say('\nPing through the tunnel:');
  say(output(await lab.run(clientSide, 'ping', '-c', '3', '-i', '0.2', serverAddress)));
  say('');
  await iperf(serverSide, clientSide, 'client to server');
  await iperf(serverSide, clientSide, 'server to client', '-R');

  say('\nThe server says:');
  say(output(await server.command('status')));
  say('\nThe client says:');
  say(output(await client.command('status')));

  say('\nHanging up.');
  say(output(await client.command('hangup', 'office')));
  output(await client.process.stop());
  output(await server.process.stop());
  say('\nLog of the server:');
  say(server.process.output.trimEnd());
  say('\nBoth ends have stopped cleanly.');
}

async function iperf(
  serverSide: string,
  clientSide: string,
  title: string,
  ...options: readonly string[]
): Promise<void> {
  const listener = lab.start(serverSide, 'iperf3', '-s', '-1', '-B', serverAddress, '--forceflush');
  await listener.line(/listening/);
  const report = JSON.parse(
    output(
      await lab.run(
        clientSide,
        'iperf3',
        '-J',
        '-c',
        serverAddress,
        '-t',
        String(seconds),
        ...options,
      ),
    ),
  ) as {
    end: {
      sum_received: { bits_per_second: number; bytes: number };
      sum_sent: { retransmits?: number };
    };
  };
  await listener.ended; // the next one needs its address
  const { bits_per_second: speed, bytes } = report.end.sum_received;
  const retransmits = report.end.sum_sent.retransmits ?? 0;
  say(
    `iperf3, TCP, ${title}: ${(speed / 1e6).toFixed(0)} Mbit/s (${(bytes / 1e6).toFixed(0)} MB in ${seconds} s, ${retransmits} retransmits)`,
  );
}

/** What a program printed. @throws Error when it failed */
function output({ code, output: text }: Result): string {
  if (code !== 0) throw new Error(`a program ended with ${code ?? 'a signal'}: ${text}`);
  return text.trimEnd();
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function fail(message: string): never {
  process.stderr.write(`demo: ${message}\n`);
  process.exit(1);
}
