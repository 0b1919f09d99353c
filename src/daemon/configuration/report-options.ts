/** Options of what is told and remembered of traffic: metrics and usage. */
import { bool, endpoint, folder, prefix } from './option-types.ts';
import { list, option, optional } from './option-table.ts';

export const reportOptions = {
  metrics: list(
    endpoint,
    [],
    'live',
    'Addresses and ports where Prometheus gets metrics by HTTP, as 127.0.0.1:9723; none: nowhere.',
  ),
  metrics_from: list(
    prefix,
    [],
    'live',
    'Networks from which metrics may be asked for; this machine itself always may.',
  ),
  metrics_sessions: option(bool, '0', 'live', 'Metrics of each session, too.'),
  usage_folder: optional(
    folder,
    'upgrade',
    'Folder where usage is kept over a reboot: it is written there every six hours, and when the service stops. Default /etc/pptp/usage on OpenWrt, else /var/lib/pptp-gateway.',
  ),
} as const;
