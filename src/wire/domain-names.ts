/**
 * Lists of names as in DNS, without its compression: RFC 1035 §3.1, as RFC 3397, RFC 8106 §5.2 and RFC 8415 §10 use them.
 */
import type { Codec } from './codec.ts';
import { fromLatin1, toLatin1 } from './octets.ts';

/** What goes over the end, is compressed, or has no name (padding) is left out. */
export const domainNames: Codec<readonly string[]> = {
  minimum: 1,
  maximum: Infinity,
  measure: (list) => list.reduce((sum, text) => sum + text.length + 2, 0),
  read(octets, at, end) {
    const list: string[] = [];
    let labels: string[] = [];
    for (; at < end && octets[at]! < 64; at += 1 + octets[at]!) {
      const length = octets[at]!;
      if (length > 0) labels.push(fromLatin1(octets.subarray(at + 1, at + 1 + length)));
      else {
        if (labels.length > 0) list.push(labels.join('.'));
        labels = [];
      }
    }
    return list;
  },
  write(octets, at, list, field) {
    if (list.length === 0) throw new RangeError(`${field}: no name`);
    for (const text of list) {
      for (const label of text.split('.')) {
        if (label.length === 0 || label.length > 63) throw new RangeError(`${field}: '${text}'`);
        octets[at] = label.length;
        octets.set(toLatin1(label), at + 1);
        at += 1 + label.length;
      }
      octets[at++] = 0;
    }
  },
};
