/** Rates of a session, in the attributes that servers send for them: those of Mikrotik, of WISPr and of Ascend. */
import { radiusValue, type RadiusAttribute } from '../wire/radius-attributes.ts';

/** bit/s; 0: as fast as it goes. */
export interface Rates {
  readonly fromCaller: number;
  readonly toCaller: number;
}

const UNITS: Readonly<Record<string, number>> = { '': 1, k: 1e3, M: 1e6, G: 1e9 };

/** undefined: the attributes say nothing of rates; 'invalid': the text cannot be read. Of several kinds Mikrotik's counts first. */
export function ratesOf(attributes: readonly RadiusAttribute[]): Rates | 'invalid' | undefined {
  const words = radiusValue(attributes, 'Mikrotik-Rate-Limit');
  if (words !== undefined) return mikrotikRates(words.text) ?? 'invalid';
  return (
    pair(attributes, 'WISPr-Bandwidth-Max-Up', 'WISPr-Bandwidth-Max-Down') ??
    pair(attributes, 'Ascend-Data-Rate', 'Ascend-Xmit-Rate')
  );
}

/** `rx[/tx] [burst …]`: rx is what the router receives; bursts are not for us. */
function mikrotikRates(words: string): Rates | undefined {
  const [both = ''] = words.trim().split(/\s+/);
  const [rx = '', tx = rx, ...more] = both.split('/');
  const fromCaller = bitsPerSecond(rx);
  const toCaller = bitsPerSecond(tx);
  if (fromCaller === undefined || toCaller === undefined || more.length > 0) return undefined;
  return { fromCaller, toCaller };
}

function bitsPerSecond(word: string): number | undefined {
  const [, digits, unit = ''] = /^(\d{1,12})([kMG]?)$/.exec(word) ?? [];
  const rate = Number(digits) * (UNITS[unit] ?? NaN);
  return Number.isSafeInteger(rate) ? rate : undefined;
}

type RateName =
  'WISPr-Bandwidth-Max-Up' | 'WISPr-Bandwidth-Max-Down' | 'Ascend-Data-Rate' | 'Ascend-Xmit-Rate';

function pair(
  attributes: readonly RadiusAttribute[],
  from: RateName,
  to: RateName,
): Rates | undefined {
  const fromCaller = radiusValue(attributes, from);
  const toCaller = radiusValue(attributes, to);
  if (fromCaller === undefined && toCaller === undefined) return undefined;
  return { fromCaller: fromCaller ?? 0, toCaller: toCaller ?? 0 };
}
