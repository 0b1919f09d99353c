/** The calendar of this router: OpenWrt has its time zone in /etc/TZ, where the runtime does not look; else the runtime knows it. */
import { files } from '../../platform/platform.ts';
import type { Zone } from '../../usage/calendar.ts';
import { parseZone } from '../../usage/posix-zone.ts';

const systemZone: Zone = (wall) => -60_000 * new Date(wall).getTimezoneOffset();

/** As it is now: the owner may change it. */
export class RouterZone {
  readonly #path: string;
  #text = '';
  #zone = systemZone;

  constructor(path = '/etc/TZ') {
    this.#path = path;
  }

  get(): Zone {
    let text = '';
    try {
      text = files.text(this.#path).trim();
    } catch {
      // It is not there: this is no OpenWrt.
    }
    if (text !== this.#text) {
      this.#text = text;
      this.#zone = parseZone(text) ?? systemZone;
    }
    return this.#zone;
  }
}
