import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { stockClientInstalled } from '../../src/router/stock-client.ts';

test('the stock client is there when pppd has its PPTP plugin and netifd is there', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'stock-client-'));
  t.after(() => rmSync(root, { recursive: true }));
  const found = () => stockClientInstalled(root);
  assert.equal(found(), false);
  mkdirSync(join(root, 'usr/lib/pppd/2.5.1'), { recursive: true });
  writeFileSync(join(root, 'usr/lib/pppd/2.5.1/pptp.so'), '');
  assert.equal(found(), false); // a Debian with ppp has no netifd
  mkdirSync(join(root, 'lib/netifd'), { recursive: true });
  assert.equal(found(), true);
  rmSync(join(root, 'usr/lib/pppd/2.5.1/pptp.so'));
  assert.equal(found(), false);
});
