/**
 * `ping` of the other end of a link that is up, by the system's program. An LCP echo (echo-check.ts) is not encrypted; this
 * goes through the link's device, and shows that packets pass both ways with their keys.
 */
import { children } from '../../platform/platform.ts';
import { UbusError } from '../../ubus-js/index.ts';
import type { Ipv4 } from '../../wire/brand.ts';
import { formatAddress } from '../../wire/ip.ts';

/** So that nobody fills the router with them. */
const MAX_RUNNING = 4;
const COUNT = 3;
/** s for each answer */
const PATIENCE = 2;

const OPTIONS = {
  input: '',
  timeout: (COUNT * (PATIENCE + 1) + 5) * 1000,
  killSignal: 'SIGKILL',
  env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
} as const;

export type PingDocument = {
  readonly address: string;
  readonly answered: boolean;
  /** ms, in the mean */
  readonly time?: number;
};

export class Pings {
  readonly #run: typeof children.run;
  #running = 0;

  constructor(run: typeof children.run = (...command) => children.run(...command)) {
    this.#run = run;
  }

  /** @throws {UbusError} too many are running, or the program is not there or does not start */
  async ping(device: string, address: Ipv4): Promise<PingDocument> {
    if (this.#running >= MAX_RUNNING)
      throw new UbusError('UNKNOWN_ERROR', `${this.#running} pings are running already`);
    this.#running++;
    try {
      const to = formatAddress(address);
      const args = ['-c', `${COUNT}`, '-W', `${PATIENCE}`, '-I', device, to];
      const { error, stdout } = await this.#run('ping', args, OPTIONS);
      if (typeof error?.code === 'string')
        throw error.code === 'ENOENT'
          ? new UbusError('NOT_SUPPORTED', 'there is no program ping')
          : new UbusError('UNKNOWN_ERROR', error.message);
      // busybox: round-trip min/avg/max = …; iputils: rtt min/avg/max/mdev = …
      const mean = /= [\d.]+\/([\d.]+)\//.exec(stdout)?.[1];
      return {
        address: to,
        answered: error === undefined,
        ...(mean === undefined ? {} : { time: Number(mean) }),
      };
    } finally {
      this.#running--;
    }
  }
}
