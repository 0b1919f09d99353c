/** Lists that may be longer than a message. */
import { encodeTable, type Table } from '../../ubus-js/index.ts';

/** Octets in one answer: a ubus message has 1 MiB at most. */
const PAGE = 900_000;

/** As many as one answer holds, in their order. @returns whether these are all */
export function page<Item, Document extends Table>(
  items: readonly Item[],
  document: (item: Item) => Document,
): { readonly documents: readonly Document[]; readonly isAll: boolean } {
  const documents: Document[] = [];
  let room = PAGE;
  for (const item of items) {
    const next = document(item);
    room -= encodeTable(next).length;
    if (room < 0) return { documents, isAll: false };
    documents.push(next);
  }
  return { documents, isAll: true };
}
