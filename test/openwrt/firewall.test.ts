/** The static includes of fw4 load in nft where fw4 puts them, and let in what they should. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { root as project } from '../daemon/cli/program.ts';

const include = (name: string) =>
  readFileSync(
    join(project, 'openwrt/pptp-gateway/files/usr/share/nftables.d', name, 'pptp-gateway.nft'),
    'utf8',
  );

test('table-pre and the chain-pre of input, output and forward in a table as fw4 makes it', () => {
  const ruleset = `table inet fw4 {
${include('table-pre')}
chain input { type filter hook input priority filter; policy drop;
iif lo accept
${include('chain-pre/input')}
}
chain output { type filter hook output priority filter; policy drop;
${include('chain-pre/output')}
}
chain forward { type filter hook forward priority filter; policy drop;
${include('chain-pre/forward')}
}
}
add element inet fw4 pptp_gateway_calls { 203.0.113.9 . 198.51.100.2 }
`;
  const { status, stdout, stderr } = spawnSync(
    'unshare',
    ['--net', 'sh', '-c', 'nft -f - && nft list ruleset'],
    {
      input: ruleset,
      encoding: 'utf8',
    },
  );
  assert.deepEqual([status, stderr], [0, '']);
  assert.match(stdout, /elements = \{ 203\.0\.113\.9 \. 198\.51\.100\.2 \}/);
  assert.match(
    stdout,
    /ip saddr \. ip daddr @pptp_gateway_calls meta l4proto gre counter .*accept/,
  );
  assert.match(
    stdout,
    /ip daddr \. ip saddr @pptp_gateway_calls meta l4proto gre counter .*accept/,
  );
  assert.equal(stdout.match(/@pptp_gateway_calls .*notrack/g)?.length, 2);
  assert.match(
    stdout,
    /chain forward[^}]*meta mark (0x17000000\/8|& 0xff000000 == 0x17000000) meta l4proto gre counter .*accept/,
  );
});

test('ruleset-post brings the elements that the daemon keeps in its folder, and none where there is no file', (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'firewall-'));
  context.after(() => rmSync(folder, { recursive: true }));
  const script = include('ruleset-post').replace('/var/run/pptp-gateway', folder);
  const load = () => {
    const { status, stdout, stderr } = spawnSync(
      'unshare',
      ['--net', 'sh', '-c', 'nft -f - && nft list ruleset'],
      { input: `table inet fw4 {\n${include('table-pre')}}\n${script}`, encoding: 'utf8' },
    );
    assert.deepEqual([status, stderr], [0, '']);
    return stdout;
  };
  assert.doesNotMatch(load(), /elements/);
  writeFileSync(join(folder, 'firewall.nft.new'), 'half a li');
  writeFileSync(
    join(folder, 'firewall.nft'),
    'add element inet fw4 pptp_gateway_calls { 198.51.100.10 . 192.0.2.1, 203.0.113.9 . 192.0.2.1 }\n',
  );
  for (const element of ['198.51.100.10 . 192.0.2.1', '203.0.113.9 . 192.0.2.1'])
    assert.ok(load().includes(element));
});

test('the mark is the one of the relay', () => {
  const rules = readFileSync(join(project, 'src/router/relay-rules.ts'), 'utf8');
  const mark = /0x00ffffff \| (0x[0-9a-f]+)/.exec(rules)?.[1];
  for (const name of ['chain-pre/input', 'chain-pre/forward'])
    assert.match(include(name), new RegExp(`meta mark & 0xff000000 == ${mark!} `));
});
