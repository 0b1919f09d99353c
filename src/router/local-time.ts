/** What the clocks on the walls show: on OpenWrt as /etc/config/system has it, elsewhere as the runtime knows it. */
import { clock, files } from '../platform/platform.ts';
import { utcOffset } from './time-zone.ts';
import { parseUci } from './uci.ts';

/** The owner may choose another zone at any time, ms. */
const FRESH = 60_000;

export class LocalTime {
  readonly #file: string;
  #rule = '';
  #readAt = -Infinity;

  /** @param configDir where the file `system` is, if there is one */
  constructor(configDir: string) {
    this.#file = files.join(configDir, 'system');
  }

  /** @param utc ms since 1970, as the result */
  at(utc: number): number {
    const now = clock.monotonic();
    if (now - this.#readAt >= FRESH) {
      this.#rule = this.#read();
      this.#readAt = now;
    }
    return utc + (utcOffset(this.#rule, utc) ?? -60_000 * new Date(utc).getTimezoneOffset());
  }

  #read(): string {
    let text: string;
    try {
      text = files.text(this.#file);
    } catch {
      return ''; // no OpenWrt
    }
    const { sections } = parseUci('system', text);
    const system = sections.find(({ type }) => type === 'system');
    return system?.values.get('timezone')?.values.at(-1) ?? '';
  }
}
