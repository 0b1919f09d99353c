/**
 * Compiles a catalogue of gettext (.po) into LuCI's format (.lmo). Usage: po2lmo.ts INPUT.po OUTPUT.lmo
 *
 * LMO: the translations, each filled up with zeros to a multiple of four octets; the index, sorted by key, of entries
 * (key, number of plural forms, offset, length); the index's offset. All numbers have 32 bits, big-endian. A key is the
 * hash of [context \1] msgid [\2 number of the plural form]; key 0 has the formula of the plural forms.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const PLURAL_FORMULA_KEY = 0;

/** Of one message: keyword -> text. */
type Message = ReadonlyMap<string, string>;

/** @throws Error naming the line that is no PO */
function parsePo(text: string): Message[] {
  const messages: Map<string, string>[] = [];
  let message = new Map<string, string>();
  let keyword: string | undefined;
  for (const [index, line] of text.split('\n').entries()) {
    if (/^\s*(#.*)?$/.test(line)) continue;
    const match = /^(?:(msgctxt|msgid|msgid_plural|msgstr|msgstr\[\d\])\s)?\s*"(.*)"\s*$/.exec(
      line,
    );
    if (match === null) throw new Error(`line ${index + 1} is no PO: ${line}`);
    if (match[1] !== undefined) {
      const begins = match[1] === 'msgctxt' || match[1] === 'msgid';
      if (begins && (message.has('msgid') || messages.length === 0))
        messages.push((message = new Map<string, string>()));
      keyword = match[1];
    }
    if (keyword === undefined) throw new Error(`line ${index + 1} belongs to no message: ${line}`);
    // LuCI's compiler leaves every other escape sequence as it is, in keys as in translations.
    const unescaped = (match[2] ?? '').replace(/\\(["\\])/g, '$1');
    message.set(keyword, (message.get(keyword) ?? '') + unescaped);
  }
  return messages;
}

/** Paul Hsieh's SuperFastHash, which starts from the length. */
export function superFastHash(octets: Uint8Array): number {
  const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
  const whole = octets.length & ~3;
  if (octets.length === 0) return 0;
  let hash = octets.length;
  for (let at = 0; at < whole; at += 4) {
    hash = (hash + view.getUint16(at, true)) | 0;
    hash = (hash << 16) ^ (view.getUint16(at + 2, true) << 11) ^ hash;
    hash = (hash + (hash >>> 11)) | 0;
  }
  switch (octets.length & 3) {
    case 3:
      hash = (hash + view.getUint16(whole, true)) | 0;
      hash ^= hash << 16;
      hash ^= view.getInt8(whole + 2) << 18;
      hash = (hash + (hash >>> 11)) | 0;
      break;
    case 2:
      hash = (hash + view.getUint16(whole, true)) | 0;
      hash ^= hash << 11;
      hash = (hash + (hash >>> 17)) | 0;
      break;
    case 1:
      hash = (hash + view.getInt8(whole)) | 0;
      hash ^= hash << 10;
      hash = (hash + (hash >>> 1)) | 0;
  }
  hash ^= hash << 3;
  hash = (hash + (hash >>> 5)) | 0;
  hash ^= hash << 4;
  hash = (hash + (hash >>> 17)) | 0;
  hash ^= hash << 25;
  return (hash + (hash >>> 6)) >>> 0;
}

interface Entry {
  readonly key: number;
  readonly pluralForms: number;
  readonly translation: Buffer;
}

function* entriesOf(message: Message): Generator<Entry> {
  const id = message.get('msgid') ?? '';
  const translations = [...message].filter(([keyword]) => keyword.startsWith('msgstr'));
  if (id === '') {
    const formula = /(?:^|\\n)Plural-Forms: (.*?)\\n/i.exec(message.get('msgstr') ?? '')?.[1];
    if (formula !== undefined)
      yield { key: PLURAL_FORMULA_KEY, pluralForms: 0, translation: Buffer.from(formula) };
    return;
  }
  const context = message.get('msgctxt');
  const prefix = context === undefined ? '' : `${context}\u0001`;
  for (const [form, [, text]] of translations.entries()) {
    const suffix = message.has('msgid_plural') ? `\u0002${form}` : '';
    const key = superFastHash(Buffer.from(prefix + id + suffix));
    const translation = Buffer.from(text);
    if (text !== '' && superFastHash(translation) !== key)
      yield { key, pluralForms: translations.length, translation };
  }
}

/** @throws Error if it is no PO, or nothing in it is translated */
export function compilePo(text: string): Buffer {
  const entries = parsePo(text).flatMap((message) => [...entriesOf(message)]);
  if (entries.length === 0) throw new Error('nothing is translated');
  let offset = 0;
  const placed = entries.map((entry) => {
    const at = offset;
    offset += Math.ceil(entry.translation.length / 4) * 4;
    return { ...entry, at };
  });
  const index = placed.toSorted((a, b) => a.key - b.key);
  const lmo = Buffer.alloc(offset + index.length * 16 + 4);
  for (const { translation, at } of placed) translation.copy(lmo, at);
  let next = offset;
  for (const { key, pluralForms, translation, at } of index)
    for (const value of [key, pluralForms, at, translation.length])
      next = lmo.writeUInt32BE(value, next);
  lmo.writeUInt32BE(offset, next);
  return lmo;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [input, output] = process.argv.slice(2);
  if (input === undefined || output === undefined)
    throw new Error('Usage: po2lmo.ts INPUT.po OUTPUT.lmo');
  try {
    writeFileSync(output, compilePo(readFileSync(input, 'utf8')));
  } catch (error) {
    throw new Error(`${input}: ${(error as Error).message}`, { cause: error });
  }
}
