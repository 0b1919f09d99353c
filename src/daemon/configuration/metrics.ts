/** Where metrics can be had over HTTP, and by whom. */
import type { Ipv4 } from '../../wire/brand.ts';
import type { Prefix } from '../../wire/ip.ts';
import type { Values } from './option-table.ts';
import type { reportOptions } from './report-options.ts';

export interface Endpoint {
  readonly address: Ipv4;
  readonly port: number;
}

export interface MetricsOptions {
  readonly endpoints: readonly Endpoint[];
  /** Besides this machine itself. */
  readonly from: readonly Prefix[];
  /** A series for each session, too. */
  readonly perSession: boolean;
}

export function metricsFrom(globals: Values<typeof reportOptions>): MetricsOptions {
  return {
    endpoints: globals.metrics,
    from: globals.metrics_from,
    perSession: globals.metrics_sessions,
  };
}
