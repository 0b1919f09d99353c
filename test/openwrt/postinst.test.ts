/** What happens after the package is installed, and after an upgrade; the service and ubus are noted here. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

const makefile = readFileSync(
  join(import.meta.dirname, '../../openwrt/pptp-gateway/Makefile'),
  'utf8',
);
const [, body] = /^define Package\/pptp-gateway\/postinst\n([^]*?)^endef$/m.exec(makefile)!;

/** @param handlers what netifd answers */
function postinst(
  context: TestContext,
  handlers: string,
  env: Record<string, string> = {},
  nft = 'exit 1',
) {
  const folder = mkdtempSync(join(tmpdir(), 'pptp-postinst-'));
  context.after(() => rmSync(folder, { recursive: true }));
  const program = (name: string, text: string) =>
    writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  program('service', 'echo "service $*"');
  program('firewall', 'echo "firewall $*"');
  program('nft', nft);
  program('ubus', `echo '${handlers}'`);
  const script = body!
    .replaceAll('$$', '$')
    .replaceAll('/etc/init.d/pptp-gateway', join(folder, 'service'))
    .replaceAll('/etc/init.d/firewall', join(folder, 'firewall'));
  const { status, stdout, stderr } = spawnSync('sh', ['-c', script], {
    env: { PATH: `${folder}:/usr/bin:/bin`, ...env },
    encoding: 'utf8',
  });
  assert.equal(stderr, '');
  return { status, lines: stdout.split('\n').filter(Boolean) };
}

const unknown = '{ "dhcp": {} }';
const known = '{ "dhcp": {}, "pptpserver": {} }';

test('after the first installation netifd does not know our protocols: the owner is told', (context) => {
  const { status, lines } = postinst(context, unknown);
  assert.equal(status, 0);
  assert.equal(lines.length, 1);
  assert.match(
    lines[0]!,
    /^pptp-gateway: restart the network once, .*\/etc\/init\.d\/network restart$/,
  );
});

test('an upgrade restarts the service, and says nothing of the network', (context) => {
  const { status, lines } = postinst(context, known, { PKG_UPGRADE: '1' });
  assert.deepEqual([status, lines], [0, ['service restart']]);
});

test('a firewall that runs without our set is reloaded, before the service needs it', (context) => {
  const without = postinst(context, known, { PKG_UPGRADE: '1' }, '[ "$2" = table ]');
  assert.deepEqual([without.status, without.lines], [0, ['firewall reload', 'service restart']]);
  const having = postinst(context, known, {}, 'exit 0');
  assert.deepEqual([having.status, having.lines], [0, []]);
});

test('in an image that is being built nothing runs', (context) => {
  const { status, lines } = postinst(context, unknown, { IPKG_INSTROOT: '/x', PKG_UPGRADE: '1' });
  assert.deepEqual([status, lines], [0, []]);
});
