/** The daemon on the system's ubus: kept for ever, since ubusd may come late and may be started anew. */
import { UbusClient } from '../ubus-js/index.ts';
import type { Log } from './log.ts';

/** @param connected called at every new connection */
export function systemBus(path: string, log: Log, connected: () => void): UbusClient {
  let isAway = false;
  return new UbusClient({
    path,
    onState: (state, why) => {
      if (state === 'connected') {
        if (isAway) log.line('info', `ubus: connected to ${path} again`);
        isAway = false;
        connected();
      } else if (!isAway) {
        isAway = true;
        log.line('warning', `ubus: no connection to ${path}: ${why?.message ?? 'closed'}`);
      }
    },
    onFault: (what, error) => log.line('warning', `ubus: ${what}: ${error.message}`),
  });
}
