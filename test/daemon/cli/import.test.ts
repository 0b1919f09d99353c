import assert from 'node:assert/strict';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { ExitCode } from '../../../src/daemon/exit-codes.ts';
import { run } from './program.ts';

const pptpd = `config service 'pptpd'
	option localip '10.0.0.1'
	option remoteip '10.0.0.20-30'
config login
	option username 'anna'
	option password 'ge\\'\\''heim'
`;

function folder(t: TestContext): { root: string; config: string } {
  const root = mkdtempSync(join(tmpdir(), 'import-'));
  t.after(() => rmSync(root, { recursive: true }));
  const config = join(root, 'config');
  mkdirSync(config);
  mkdirSync(join(root, 'ppp'));
  return { root, config };
}

test('import pptpd: once, without the daemon; files keep their rights, new ones are for root alone', async (t) => {
  const { root, config } = folder(t);
  const path = (file: string) => join(config, file);
  const network = Buffer.from("# B\xfcro\nconfig interface 'lan'\n", 'latin1');
  writeFileSync(path('pptpd'), pptpd);
  writeFileSync(path('network'), network, { mode: 0o644 });
  writeFileSync(join(root, 'ppp/options.pptpd'), 'name srv\nrequire-mschap-v2\nmtu 1450\n');
  const first = await run(t, ['import', 'pptpd', '--config-dir', config]);
  assert.deepEqual(first, {
    code: ExitCode.Ok,
    stdout: `warning: callers reach each other, and one user may be on with several devices, as with pptpd: see the options isolate and max_per_user
imported: server 'pptpd', switched off (option disabled in ${path('network')}), and 1 users\n`,
    stderr: '',
  });
  const written = readFileSync(path('network'));
  assert.deepEqual(written.subarray(0, network.length), network); // octet for octet
  assert.match(
    written.subarray(network.length).toString(),
    /^\nconfig interface 'pptpd'\n(.*\n)*\toption mtu '1450'/,
  );
  assert.match(readFileSync(path('pptp_users'), 'utf8'), /\toption password 'ge'\\''heim'\n/);
  assert.equal(readFileSync(path('pptpd'), 'utf8'), pptpd);
  assert.deepEqual(
    ['network', 'pptp', 'pptp_users'].map((file) => statSync(path(file)).mode & 0o777),
    [0o644, 0o600, 0o600],
  );
  assert.deepEqual(readdirSync(config), ['network', 'pptp', 'pptp_users', 'pptpd']);

  const before = readFileSync(path('network'), 'utf8');
  const second = await run(t, ['import', 'pptpd', '--config-dir', config]);
  assert.deepEqual(
    [second.code, second.stdout],
    [ExitCode.Ok, 'pptpd was imported before: nothing to do\n'],
  );
  assert.equal(readFileSync(path('network'), 'utf8'), before);
});

test('import: nothing there, another program, a folder that cannot be written', async (t) => {
  const { config } = folder(t);
  const nothing = await run(t, ['import', 'pptpd', '--config-dir', config]);
  assert.deepEqual(
    [nothing.code, nothing.stderr],
    [
      ExitCode.NotFound,
      `pptp-gateway: nothing to import: there is no file ${join(config, 'pptpd')}, and no ${join(config, '../pptpd.conf')}\n`,
    ],
  );
  const other = await run(t, ['import', 'openvpn']);
  assert.deepEqual(
    [other.code, other.stderr.split('\n')[0]],
    [ExitCode.Usage, "pptp-gateway: import: expected pptpd, not 'openvpn'"],
  );
  writeFileSync(join(config, 'pptpd'), pptpd);
  mkdirSync(join(config, 'pptp_users'));
  const stuck = await run(t, ['import', 'pptpd', '--config-dir', config]);
  assert.equal(stuck.code, ExitCode.Failed);
  assert.match(stuck.stderr, /^pptp-gateway: EISDIR/);
  assert.deepEqual(readdirSync(config), ['pptp_users', 'pptpd']);
});

test('import pptpd: without sections, from the files of pptpd and pppd themselves', async (t) => {
  const { root, config } = folder(t);
  writeFileSync(
    join(root, 'pptpd.conf'),
    'option /etc/ppp/pptpd-options\nlocalip 10.0.0.1\nremoteip 10.0.0.20-30\n',
  );
  writeFileSync(
    join(root, 'ppp/pptpd-options'),
    'name pptpd\nrequire-mschap-v2\nrequire-mppe-128\n',
  );
  writeFileSync(join(root, 'ppp/chap-secrets'), 'anna pptpd @/etc/ppp/hers *\n');
  writeFileSync(join(root, 'ppp/hers'), Buffer.from('"ge heim" not this\n'));
  const { code, stdout } = await run(t, ['import', 'pptpd', '--config-dir', config]);
  assert.equal(code, ExitCode.Ok);
  assert.match(stdout, /pptpd is still switched on.*\nimported: server 'pptpd', .* and 1 users\n$/);
  assert.match(readFileSync(join(config, 'network'), 'utf8'), /option localip '10\.0\.0\.1'/);
  assert.match(readFileSync(join(config, 'pptp_users'), 'utf8'), /option password 'ge heim'/);
});

test("import pptpd: what its init script made of sections is no users' file", async (t) => {
  const { root, config } = folder(t);
  writeFileSync(join(config, 'pptpd'), pptpd);
  const made = join(root, 'var/etc/chap-secrets');
  mkdirSync(join(made, '..'), { recursive: true });
  writeFileSync(made, 'anna srv geheim *\ndeleted srv geheim *\n');
  symlinkSync(made, join(root, 'ppp/chap-secrets'));
  writeFileSync(join(root, 'ppp/options.pptpd'), 'name srv\nrequire-mschap-v2\n');
  const { stdout } = await run(t, ['import', 'pptpd', '--config-dir', config]);
  assert.match(stdout, /and 1 users\n$/);
});
