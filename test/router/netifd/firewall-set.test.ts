import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { FirewallSet } from '../../../src/router/netifd/firewall-set.ts';
import { parseAddress } from '../../../src/wire/ip.ts';
import { folder } from '../../daemon/cli/program.ts';

test('who could not be taken out is taken out later, unless he is back', async (t) => {
  const scripts: string[] = [];
  let broken = false;
  const set = new FirewallSet(
    {
      nft: (script) => {
        if (broken) return Promise.reject(new Error('no descriptor'));
        scripts.push(script);
        return Promise.resolve('');
      },
      nftJson: () => Promise.resolve({ nftables: [] }),
    },
    join(folder(t), 'firewall.nft'),
    () => undefined,
  );
  const [one, two] = ['192.0.2.1', '192.0.2.2'].map((text) => ({
    peer: parseAddress(text)!,
    local: parseAddress('203.0.113.2')!,
  }));
  await set.admit(one!);
  await set.admit(two!);
  broken = true;
  set.dismiss(one!);
  set.dismiss(two!);
  await set.admit(two!); // comes after what is running
  broken = false;
  scripts.length = 0;
  await set.look();
  await set.admit(two!);
  const all = scripts.join('');
  assert.match(
    all,
    /delete element inet fw4 pptp_gateway_calls \{ 192\.0\.2\.1 \. 203\.0\.113\.2 \}/,
  );
  assert.doesNotMatch(all, /delete.*192\.0\.2\.2/);
  await set.close();
});
