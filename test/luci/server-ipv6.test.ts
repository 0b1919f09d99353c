/** One checkbox for IPv6: what it says of the router's own network, and what it writes beside its option. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { luci, recorder, type Luci } from './luci.ts';

type Any = any;

const wan = (mask: number | undefined, up = true) => ({
  interface: 'wan6',
  up,
  ...(mask === undefined ? {} : { 'ipv6-prefix': [{ address: '2001:db8:5:100::', mask }] }),
});

/** The checkbox, as the page has it. */
function checkbox(
  interfaces: readonly object[],
  { networks = [] as string[], values = {} } = {},
): { router: Luci; option: Any; vpn: () => Any } {
  const { form, sections } = recorder();
  const router = luci({ form });
  const vpn = { '.type': 'interface', '.name': 'vpn', proto: 'pptpserver', ...values };
  router.uci['network'] = { vpn };
  const delegated = router.module('pptp-gateway.subnets').delegated(interfaces);
  const add = { isNew: true, used: [], title: null, delegated };
  router.module('pptp-gateway.server-form').add(new form.Map('network'), 'vpn', add);
  const { offered } = sections.find(({ name }) => name === 'vpn')!;
  const option = offered.find((each: Any) => each.option === 'ipv6')! as Any;
  option.map = { lookupOption: () => [{ formvalue: () => networks }] };
  option.super = () => null; // LuCI's own
  return { router, option, vpn: () => router.uci['network']!['vpn'] };
}

test('it says what callers get', () => {
  const { option } = checkbox([wan(undefined), wan(60), wan(56), wan(48, false)]);
  assert.match(option.description, /out of 2001:db8:5:100::\/56,/);
});

test('without a network it says so, and so with one that is too small', () => {
  for (const interfaces of [[], [wan(undefined)], [wan(56, false)]])
    assert.match(checkbox(interfaces).option.description, /no IPv6 network/);
  for (const mask of [62, 63, 64])
    assert.match(
      checkbox([wan(mask)]).option.description,
      new RegExp(`2001:db8:5:100::/${mask} .*too small`),
    );
});

test('netifd is asked for a part of it', () => {
  for (const [mask, part] of [
    [48, '60'],
    [56, '60'],
    [57, '61'],
    [60, '62'],
    [61, '62'],
  ] as const) {
    const { option, vpn } = checkbox([wan(mask)]);
    option.write('vpn', '1');
    assert.equal(vpn().ip6assign, part, `/${mask}`);
    option.remove('vpn');
    assert.equal(vpn().ip6assign, undefined);
  }
});

test('what the owner has said stays as it is', () => {
  const assigned = checkbox([wan(56)], { values: { ip6assign: '62' } });
  assigned.option.write('vpn', '1');
  assert.equal(assigned.vpn().ip6assign, '62');
  const named = checkbox([wan(56)], { networks: ['2001:db8:9::/56'] });
  named.option.write('vpn', '1');
  assert.equal(named.vpn().ip6assign, undefined);
  // While the Internet connection is down, too.
  const down = checkbox([], { values: { ip6assign: '60' } });
  down.option.write('vpn', '1');
  assert.equal(down.vpn().ip6assign, '60');
  down.option.write('vpn', '0');
  assert.equal(down.vpn().ip6assign, undefined);
});
