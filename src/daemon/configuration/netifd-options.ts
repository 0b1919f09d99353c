/** What netifd reads in sections of ours, besides our own options. */

/** Names that options of a server had: netifd reads `dns` in any interface, as servers of the router itself. */
export const formerServerOptions: Readonly<Record<string, string>> = {
  client_dns: 'dns',
  client_wins: 'wins',
};

/** Options of every netifd interface, and of the device that it may have: not ours, not worth a warning. */
export const netifdOptions: ReadonlySet<string> = new Set(
  (
    'auto carrier_loss_delay checkup_interval defaultroute delegate device dns dns_metric dns_search force_link host_device ifname interface ip4table ip6assign ip6class ip6hint ip6ifaceid ip6table ip6weight jail jail_device jail_ifname layer macaddr metric multipath name peerdns renew renew_lease sourcefilter tags type zone ' +
    'acceptlocal arp_accept asym_pause auth_vlan autoneg conduit dadtransmits drop_gratuitous_arp drop_unsolicited_na drop_v4_unicast_in_l2_multicast drop_v6_unicast_in_l2_multicast duplex eee enabled gro igmpversion ip6segmentrouting mldversion mtu6 multicast_fast_leave multicast_router multicast_to_unicast neighgcstaletime neighlocktime neighreachabletime pause promisc pse pse_podl pse_power_limit pse_priority rpfilter rxpause sendredirects speed txpause txqueuelen vlan'
  ).split(' '),
);
