/**
 * A link that dials on demand behind masquerading: connections of the network behind it that go on survive a redial which
 * brings another address.
 *
 *     lan 192.168.5.2 ---- 192.168.5.1 branch 198.18.1.2 ---- 198.18.1.1 server, 10.20.0.1
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Lab, type Gateway } from '../../tools/lab.ts';

const FLOWS = 12;
const password = 'correct horse battery';
const lab = new Lab('masquerade');
let server: Gateway;
let branch: Gateway;
let branchSide: string;
let lanSide: string;

/** The account's address. */
const serverFiles = (address: string) => ({
  network: `config interface 'home'
	option proto 'pptpserver'
	option localip '192.168.99.1'
	option network '192.168.99.0/24'
`,
  pptp_users: `config user
	option username 'anna'
	option password '${password}'
	option ipaddr '${address}'
`,
});

const linkFiles = {
  network: `config interface 'one'
	option proto 'pptpgw'
	option server '198.18.1.1'
	option username 'anna'
	option password '${password}'
	option defaultroute '0'
	option demand '1'
	option holdoff '1'
	list route '10.20.0.0/16'
`,
};

const echo = `
  const socket = require('node:dgram').createSocket('udp4');
  socket.on('message', (text, { port, address }) => socket.send(text, port, address));
  socket.bind(7777, '10.20.0.1', () => console.log('listening'));
`;

/** Sends from the same ports each time, again and again until each was answered; after 20 s it gives up. */
const flows = `
  const answered = new Set();
  const end = () => { console.log('answered ' + answered.size); process.exit(); };
  setTimeout(end, 20_000);
  for (let port = 40001; port <= 40000 + ${FLOWS}; port++) {
    const socket = require('node:dgram').createSocket('udp4');
    socket.on('message', () => { if (answered.add(port).size === ${FLOWS}) end(); });
    socket.bind(port, () => {
      const send = () => socket.send('x', 7777, '10.20.0.1');
      send();
      setInterval(send, 300);
    });
  }
`;

before(async () => {
  const serverSide = lab.namespace('server');
  branchSide = lab.namespace('branch');
  lanSide = lab.namespace('lan');
  lab.join('outer', [
    [serverSide, '198.18.1.1/30'],
    [branchSide, '198.18.1.2/30'],
  ]);
  lab.join('inner', [
    [branchSide, '192.168.5.1/24'],
    [lanSide, '192.168.5.2/24'],
  ]);
  for (const side of [serverSide, branchSide])
    await lab.run(side, 'sysctl', '-qw', 'net.ipv4.ip_forward=1');
  await lab.run(lanSide, 'ip', 'route', 'add', 'default', 'via', '192.168.5.1');
  await lab.run(serverSide, 'ip', 'address', 'add', '10.20.0.1/16', 'dev', 'lo');
  const { code, output } = await lab.run(
    branchSide,
    'nft',
    'table ip nat { chain postrouting { type nat hook postrouting priority srcnat; oifname "pptp-one" masquerade; }; }',
  );
  assert.equal(code, 0, output);
  await lab.start(serverSide, process.execPath, '-e', echo).line(/listening/);
  server = await lab.gateway('server', serverSide, serverFiles('192.168.99.77'));
  branch = await lab.gateway('branch', branchSide, linkFiles, '--dial');
});

after(() => lab.close());

test('UDP flows from the same ports are answered after each redial, with whatever address', async () => {
  await branch.process.line(/link one: demand/);
  for (const address of ['192.168.99.77', '192.168.99.78', '192.168.99.79']) {
    server.configure(serverFiles(address));
    assert.equal((await server.command('reload')).code, 0);
    const from = branch.process.output.length;
    const { output } = await lab.run(lanSide, process.execPath, '-e', flows);
    assert.match(branch.process.output.slice(from), new RegExp(`up local ${address}`));
    assert.equal(output.trim(), `answered ${FLOWS}`, address);
    await branch.process.line(/link one: demand IDLE_TIMEOUT/, from);
  }
  assert.doesNotMatch(branch.process.output, /warning|error/i);
});
