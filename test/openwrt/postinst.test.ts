/** What happens after the package is installed, upgraded, removed; the service and ubus are noted here. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

const makefile = readFileSync(
  join(import.meta.dirname, '../../openwrt/pptp-gateway/Makefile'),
  'utf8',
);

interface Around {
  /** What netifd answers. */
  readonly handlers?: string;
  readonly env?: Record<string, string>;
  readonly nft?: string;
  readonly folder?: string;
}

function maintainerScript(
  context: TestContext,
  name: 'postinst' | 'postrm',
  { handlers = '', env = {}, nft = 'exit 1', folder = newFolder(context) }: Around,
) {
  const program = (name: string, text: string) =>
    writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  program('service', 'echo "service $*"; [ -z "$REFUSED" ]');
  program('firewall', 'echo "firewall $*"');
  program('nft', nft);
  program('ubus', `echo '${handlers}'`);
  const [, body] = new RegExp(`^define Package/pptp-gateway/${name}\\n([^]*?)^endef$`, 'm').exec(
    makefile,
  )!;
  const script = body!
    .replaceAll('$$', '$')
    .replaceAll('/etc/init.d/pptp-gateway', join(folder, 'service'))
    .replaceAll('/etc/init.d/firewall', join(folder, 'firewall'))
    .replaceAll('/etc/pptp', join(folder, 'etc'));
  const { status, stdout, stderr } = spawnSync('sh', ['-c', script], {
    env: { PATH: `${folder}:/usr/bin:/bin`, ...env },
    encoding: 'utf8',
  });
  assert.equal(stderr, '');
  return { status, lines: stdout.split('\n').filter(Boolean) };
}

function newFolder(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'pptp-postinst-'));
  context.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

const postinst = (context: TestContext, handlers: string, env = {}, nft = 'exit 1') =>
  maintainerScript(context, 'postinst', { handlers, env, nft });

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

test('after an upgrade the service becomes the new program; where it does not, the old one goes on, and the owner is told', (context) => {
  const { status, lines } = postinst(context, known, { PKG_UPGRADE: '1' });
  assert.deepEqual([status, lines], [0, ['service upgrade']]);
  const refused = postinst(context, known, { PKG_UPGRADE: '1', REFUSED: '1' });
  assert.deepEqual(
    [refused.status, refused.lines[0], refused.lines.length],
    [0, 'service upgrade', 2],
  );
  assert.match(
    refused.lines[1]!,
    /^pptp-gateway: not upgraded as it should be: the lines above or logread -e pptp say why\. If the version before still runs, .* until: \S+ restart$/,
  );
});

test('a firewall that runs without our set is reloaded, before the service needs it', (context) => {
  const without = postinst(context, known, { PKG_UPGRADE: '1' }, '[ "$2" = table ]');
  assert.deepEqual([without.status, without.lines], [0, ['firewall reload', 'service upgrade']]);
  const having = postinst(context, known, {}, 'exit 0');
  assert.deepEqual([having.status, having.lines], [0, []]);
});

test('in an image that is being built nothing runs', (context) => {
  const { status, lines } = postinst(context, unknown, { IPKG_INSTROOT: '/x', PKG_UPGRADE: '1' });
  assert.deepEqual([status, lines], [0, []]);
});

test('who removes it has no empty folders for hooks left, and nothing of ours in the firewall', (context) => {
  const folder = newFolder(context);
  const hooks = ['session-up.d', 'session-down.d'].map((name) => join(folder, 'etc', name));
  const removed = (around: Around) =>
    maintainerScript(context, 'postrm', { folder, ...around }).lines;
  for (const each of hooks) mkdirSync(each, { recursive: true });
  for (const env of [{ IPKG_INSTROOT: '/x' }, { PKG_UPGRADE: '1' }])
    assert.deepEqual(removed({ env, nft: 'exit 0' }), []);
  assert.deepEqual(hooks.map(existsSync), [true, true]);
  assert.deepEqual(removed({ nft: '[ "$1" = list ] || echo "nft $*"' }), [
    'firewall reload',
    'nft delete chain inet fw4 pptp_gateway_prerouting; delete chain inet fw4 pptp_gateway_output; delete set inet fw4 pptp_gateway_calls',
  ]);
  assert.equal(existsSync(join(folder, 'etc')), false);

  mkdirSync(hooks[0]!, { recursive: true });
  writeFileSync(join(hooks[0]!, 'of-the-owner'), '');
  assert.deepEqual(removed({}), []);
  assert.ok(existsSync(join(hooks[0]!, 'of-the-owner')));
});
