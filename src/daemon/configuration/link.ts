/** A client link (proto pptpgw) from its section. */
import type { UciSection } from '../../router/uci.ts';
import type { ClientLinkOptions } from '../../session/options.ts';
import { deviceName } from './device-name.ts';
import { linkOptions, netifdOptions } from './options.ts';
import type { Problem } from './problems.ts';
import { readSection } from './section.ts';
import { authAndMppe } from './security.ts';

export function linkFromSection(
  section: UciSection,
  problems: Problem[],
): ClientLinkOptions | undefined {
  const values = readSection(section, linkOptions, problems, netifdOptions);
  if (values === undefined) return undefined;
  return {
    kind: 'link',
    name: section.name,
    device: values.pppname ?? deviceName('pptp-', section.name),
    port: values.port,
    ...authAndMppe(section, values, problems),
    mtu: values.mtu,
    ipv6: values.ipv6 !== '0',
    keepalive: values.keepalive === 'off' ? undefined : values.keepalive,
    server: values.server,
    username: values.username,
    secret: values.password,
    routes: values.route,
    defaultRoute: values.defaultroute,
    metric: values.metric,
    hostRoute: !values.nohostroute,
    peerDns: values.peerdns,
    bindDevice: values.interface,
    auto: values.auto,
    blockOnAuthFailure: values.authfail,
    maxFail: values.maxfail,
    holdoff: values.holdoff,
    holdoffMax: Math.max(values.holdoff, values.holdoff_max),
    demand: 0,
    ipv6Client: undefined,
  };
}
