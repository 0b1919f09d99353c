/** `radius-test` on the command line, against a stand-in for the server. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { ExitCode } from '../../../src/daemon/exit-codes.ts';
import { RadiusCode } from '../../../src/wire/radius.ts';
import { proofOf, standIn } from '../radius/stand-in.ts';
import { network } from './gateway.ts';
import { folder, run, start } from './program.ts';

test('steps, exit codes, and a password that is shown nowhere', async (t) => {
  const server = await standIn('Granite', (request) =>
    request.code === RadiusCode.StatusServer
      ? { code: RadiusCode.AccessAccept, attributes: [] }
      : { code: RadiusCode.AccessAccept, attributes: [proofOf(request, 'geheim')] },
  );
  t.after(() => server.close());
  const dir = folder(t, {
    network,
    pptp_users: '',
    pptp: '',
    pptp_radius: `config radius 'main'\noption server '127.0.0.1'\noption port '${server.port}'\noption secret 'Granite'\n`,
    right: 'geheim\n',
    wrong: 'falsch\n',
  });
  const socket = join(dir, 'run', 'ubus.sock');
  const daemon = start(t, ['run', '--config-dir', dir, '--socket', socket]);
  await daemon.says(/is running/);
  const tried = (...words: string[]) => run(t, ['radius-test', '--socket', socket, ...words]);
  const file = (name: string) => ['--password-file', join(dir, name)];
  const [found, refused, noTerminal, unknown] = await Promise.all([
    tried('main', 'anna', ...file('right')),
    tried('main', 'anna', '--json', ...file('wrong')),
    tried('main', 'anna'),
    tried('other'),
  ]);

  assert.equal(found.code, ExitCode.Ok);
  assert.deepEqual(
    found.stdout.split('\n').map((line) => line.replace(/ +/g, ' ').trim().split(' ', 2).join(' ')),
    [
      'checking main',
      'name ok',
      'socket ok',
      'status ok',
      'secret ok',
      'login ok',
      'answer ok',
      '',
    ],
  );
  assert.equal(refused.code, ExitCode.LoginRefused);
  const { checks } = JSON.parse(refused.stdout) as { checks: [{ cause: { code: string } }] };
  assert.equal(checks[0].cause.code, 'RADIUS_NOT_PROVEN'); // the stand-in proves the other password
  assert.equal(noTerminal.code, ExitCode.Usage);
  assert.match(noTerminal.stderr, /give --password-file/);
  assert.equal(unknown.code, ExitCode.NotFound);

  daemon.process.kill('SIGTERM');
  const log = await daemon.ended;
  for (const { stdout, stderr } of [found, refused, log])
    assert.doesNotMatch(stdout + stderr, /geheim|falsch|Granite/);
});
