/**
 * Names that netifd's generic code reads in any interface section (config.c, interface.c and, as the settings of its device,
 * device.c): an option of ours that has one of them must mean the same.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { netifdOptions } from '../../../src/daemon/configuration/netifd-options.ts';
import { linkOptions, serverOptions } from '../../../src/daemon/configuration/options.ts';
import type { OptionTable } from '../../../src/daemon/configuration/option-table.ts';
import { parseConfiguration } from '../../../src/daemon/configuration/configuration.ts';
import { files, only, refusal, warnings } from './parsed.ts';

const words = (text: string) => text.split(/\s+/);
const ofInterface = words(
  `auto carrier_loss_delay defaultroute delegate device disabled dns dns_metric dns_search force_link host_device ifname
  interface ip4table ip6assign ip6class ip6hint ip6ifaceid ip6table ip6weight jail jail_device jail_ifname metric peerdns
  proto renew tags type zone`,
);
const ofDevice = words(
  `acceptlocal arp_accept asym_pause auth auth_vlan autoneg conduit dadtransmits drop_gratuitous_arp
  drop_unsolicited_na drop_v4_unicast_in_l2_multicast drop_v6_unicast_in_l2_multicast duplex eee enabled gro igmpversion
  ip6segmentrouting ipv6 isolate macaddr mldversion mtu mtu6 multicast_fast_leave multicast_router multicast_to_unicast
  neighgcstaletime neighlocktime neighreachabletime pause promisc pse pse_podl pse_power_limit pse_priority rpfilter
  rxpause sendredirects speed tags txpause txqueuelen type vlan`,
);

/** What each side does with it, and why that is one meaning. */
const shared: Readonly<Record<string, string>> = {
  proto: 'whose interface it is',
  disabled: 'the section is ignored',
  auto: 'netifd brings it up at its start, we dial at ours',
  defaultroute: 'netifd drops default routes that we tell it of; we tell it of none',
  metric: 'netifd gives it to the routes that we tell it of, iproute2 gets it from us',
  peerdns: 'netifd drops the servers that we tell it of',
  delegate: 'prefixes that come by the link are passed on to other networks',
  interface: 'read for an alias only, which an interface without a device of its own cannot be',
};

const tables: Readonly<Record<string, OptionTable>> = {
  pptpserver: serverOptions,
  pptpgw: linkOptions,
};

test("no option of an interface has a name that netifd's generic code reads with another meaning", () => {
  for (const [proto, table] of Object.entries(tables))
    for (const option of Object.keys(table))
      assert.ok(
        !ofInterface.includes(option) || Object.hasOwn(shared, option),
        `proto ${proto}, option ${option}`,
      );
});

/** Our handlers say no_device: netifd gives none of these to a device of ours. */
test('of the names of device settings only those that stand in sections since the stock client, or that no device of ours can have', () => {
  const known = ['auth', 'ipv6', 'isolate', 'mtu'];
  for (const table of Object.values(tables))
    for (const option of Object.keys(table))
      assert.ok(!ofDevice.includes(option) || known.includes(option), option);
});

test("netifd's own options in a section of ours are no unknown ones", () => {
  for (const option of [...ofInterface, ...ofDevice])
    assert.ok(
      netifdOptions.has(option) ||
        Object.values(tables).some((table) => Object.hasOwn(table, option)),
      option,
    );
});

test('the names of before are taken with a warning, until the name of today is there', () => {
  const old = files('server', "list dns '10.0.0.1'\nlist wins '10.0.0.2'");
  assert.deepEqual(warnings(old), [
    "warning: network, section 'home', option 'dns': is called client_dns now; taken for it until it is renamed",
    "warning: network, section 'home', option 'wins': is called client_wins now; taken for it until it is renamed",
  ]);
  const told = ({ dns, nbns }: Readonly<Record<string, unknown>>) => [dns, nbns];
  assert.deepEqual(told(only('server', parseConfiguration(old))), [[0x0a000001], [0x0a000002]]);
  const both = files('server', "list dns '10.0.0.1'\nlist client_dns '10.0.0.9'");
  assert.deepEqual(warnings(both), []);
  assert.deepEqual(told(only('server', parseConfiguration(both))), [[0x0a000009], []]);
  assert.deepEqual(refusal(files('server', "list dns 'x'")), [
    "error: network, section 'home', option 'dns', value 'x': expected an IPv4 address",
  ]);
});
