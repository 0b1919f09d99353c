/**
 * MPPE's arithmetic in AssemblyScript, in the memory that holds the packets: RC4, and the key change of RFC 3078 §7.3 with
 * its two blocks of SHA-1 (FIPS 180-4 §6.1). wasm-cipher.ts calls it; tools/build-wasm.ts compiles it into binary.ts.
 *
 * Every step of RC4 waits for the one before it, so two independent streams side by side cost less than one after the
 * other: those of two packets (applyBoth), and a packet's key set-up with the one inside the change to the key after it
 * (prepare).
 *
 * A lane holds the permutation of one key stream, from prepare() until it is applied once. Its entries and the indexes
 * into it are four times RC4's octets, in words of 32 bits: so they are addresses as they are, and processors that guess
 * whether a load meets an earlier store guess well (bench/README.md). Everything lies at fixed places in the first 64 kB
 * and the arena behind them; nothing is allocated.
 */

/**
 * Which lane a function works on is told by a type: a lane's address becomes part of the instructions only if it is a
 * constant of the compiler's, and of what a function is told only types are. The lane's number is the type's size.
 */
type First = u8;
type Second = u16;
type Change = u32;
/** Lanes of 256 words: number 1, for a packet, number 2, for another, and number 4, for the key change. */
const LANES: usize = 0x1000;
const LANE_SHIFT: usize = 10;
/** The entries of a permutation that changes nothing. */
const IDENTITY: usize = 0x2400;
/** 16 octets each: start key and session key, put there by the caller, and the session key after it. */
const START_KEY: usize = 0x2800;
const SESSION_KEY: usize = 0x2810;
const NEXT_KEY: usize = 0x2820;
/** Keys as RC4 takes them, 16 entries each: one of 8 octets stands there twice. */
const RC4_KEY: usize = 0x2840;
const RC4_CHANGE_KEY: usize = 0x2880;
/**
 * What GetNewKeyFromSHA (RFC 3079 §3.4) hashes, with keys of 16 octets and of 8: two blocks, each the 80 words of SHA-1's
 * schedule, of which the first 16 are the message.
 */
const MESSAGE_16: usize = 0x2900;
const MESSAGE_8: usize = 0x2b80;
const BLOCK: usize = 320;
const HASH: usize = 0x2e00;
/** Of an entry. */
const MASK: u32 = 0x3fc;

for (let n: usize = 0; n < 1024; n += 4) store<u32>(IDENTITY + n, <u32>n);
pad(MESSAGE_16, 16);
pad(MESSAGE_8, 8);

/** Where the start key lies, and 16 and 32 octets behind it the session key and the next one. */
export function keysAt(): usize {
  return START_KEY;
}

/** Starts the key stream of the session key in the first lane and makes the session key after it. */
export function prepareFirst(bits: u32): void {
  prepare<First>(bits);
}

export function prepareSecond(bits: u32): void {
  prepare<Second>(bits);
}

function prepare<L>(bits: u32): void {
  const length = keyLength(bits);
  interimKey(length);
  spread(SESSION_KEY, length, RC4_KEY);
  spread(NEXT_KEY, length, RC4_CHANGE_KEY);
  scheduleBoth<L>();
  finishChange(length, bits);
}

/** Makes the session key after the session key, and no more. */
export function change(bits: u32): void {
  const length = keyLength(bits);
  interimKey(length);
  spread(NEXT_KEY, length, RC4_CHANGE_KEY);
  reset<Change>();
  let j: u32 = 0;
  for (let i: usize = 0; i < 1024; i += 4) {
    j = mix<Change>(i, j, entry<Change>(i), load<u32>(i & 60, RC4_CHANGE_KEY));
  }
  finishChange(length, bits);
}

/** En- or decrypts `length` octets in place with the stream of the first lane. */
export function apply(at: usize, length: usize): void {
  run<First>(at, length, 0, 0);
}

/** The same with both lanes, side by side as far as both packets reach. */
export function applyBoth(at: usize, length: usize, at2: usize, length2: usize): void {
  const both = min(length, length2) & ~3;
  let i: usize = 0;
  let j: u32 = 0;
  let k: u32 = 0;
  const whole = at + both;
  for (; at < whole; at += 4, at2 += 4) {
    let x = entry<First>(i + 4);
    let y = entry<Second>(i + 4);
    j = (j + x) & MASK;
    k = (k + y) & MASK;
    let stream = swap<First>(i + 4, j, x) >> 2;
    let stream2 = swap<Second>(i + 4, k, y) >> 2;
    x = entry<First>(i + 8);
    y = entry<Second>(i + 8);
    j = (j + x) & MASK;
    k = (k + y) & MASK;
    stream |= swap<First>(i + 8, j, x) << 6;
    stream2 |= swap<Second>(i + 8, k, y) << 6;
    x = entry<First>(i + 12);
    y = entry<Second>(i + 12);
    j = (j + x) & MASK;
    k = (k + y) & MASK;
    stream |= swap<First>(i + 12, j, x) << 14;
    stream2 |= swap<Second>(i + 12, k, y) << 14;
    i = (i + 16) & MASK;
    x = entry<First>(i);
    y = entry<Second>(i);
    j = (j + x) & MASK;
    k = (k + y) & MASK;
    stream |= swap<First>(i, j, x) << 22;
    stream2 |= swap<Second>(i, k, y) << 22;
    store<u32>(at, load<u32>(at) ^ stream);
    store<u32>(at2, load<u32>(at2) ^ stream2);
  }
  run<First>(at, length - both, i, j);
  run<Second>(at2, length2 - both, i, k);
}

/** The stream of a lane from its indexes i (a multiple of four entries) and j on. */
function run<L>(at: usize, length: usize, i: usize, j: u32): void {
  const end = at + length;
  for (const whole = at + (length & ~3); at < whole; at += 4) {
    let x = entry<L>(i + 4);
    j = (j + x) & MASK;
    let stream = swap<L>(i + 4, j, x) >> 2;
    x = entry<L>(i + 8);
    j = (j + x) & MASK;
    stream |= swap<L>(i + 8, j, x) << 6;
    x = entry<L>(i + 12);
    j = (j + x) & MASK;
    stream |= swap<L>(i + 12, j, x) << 14;
    i = (i + 16) & MASK;
    x = entry<L>(i);
    j = (j + x) & MASK;
    stream |= swap<L>(i, j, x) << 22;
    store<u32>(at, load<u32>(at) ^ stream);
  }
  for (; at < end; at++) {
    i = (i + 4) & MASK;
    const x = entry<L>(i);
    j = (j + x) & MASK;
    store<u8>(at, load<u8>(at) ^ <u8>(swap<L>(i, j, x) >> 2));
  }
}

@inline
function entry<L>(i: usize): u32 {
  return load<u32>(i, LANES + ((<usize>sizeof<L>()) << LANE_SHIFT));
}

@inline
function put<L>(i: usize, x: u32): void {
  store<u32>(i, x, LANES + ((<usize>sizeof<L>()) << LANE_SHIFT));
}

/** Exchanges the entry at i, which is x, with the one at j. @returns the entry of the key stream */
@inline
function swap<L>(i: usize, j: u32, x: u32): u32 {
  const y = entry<L>(j);
  put<L>(i, y);
  put<L>(j, x);
  return entry<L>((x + y) & MASK);
}

/** One step of the key set-up, for the entry x at i. @returns the new j */
@inline
function mix<L>(i: usize, j: u32, x: u32, key: u32): u32 {
  const next = (j + x + key) & MASK;
  put<L>(i, entry<L>(next));
  put<L>(next, x);
  return next;
}

@inline
function reset<L>(): void {
  memory.copy(LANES + ((<usize>sizeof<L>()) << LANE_SHIFT), IDENTITY, 1024);
}

/**
 * The key set-up of a lane from RC4_KEY, and beside it the key change's. Four entries are read before any is exchanged, and
 * again if an exchange changed them: or each would wait for the exchange before it, since it might.
 */
function scheduleBoth<L>(): void {
  reset<L>();
  reset<Change>();
  let j: u32 = 0;
  let k: u32 = 0;
  for (let i: u32 = 0; i < 1024; i += 16) {
    const n = i & 60;
    let x = entry<L>(i + 4);
    let x2 = entry<L>(i + 8);
    let x3 = entry<L>(i + 12);
    let y = entry<Change>(i + 4);
    let y2 = entry<Change>(i + 8);
    let y3 = entry<Change>(i + 12);
    j = mix<L>(i, j, entry<L>(i), load<u32>(n, RC4_KEY));
    k = mix<Change>(i, k, entry<Change>(i), load<u32>(n, RC4_CHANGE_KEY));
    if (j - i - 4 < 12) {
      x = entry<L>(i + 4);
      x2 = entry<L>(i + 8);
      x3 = entry<L>(i + 12);
    }
    if (k - i - 4 < 12) {
      y = entry<Change>(i + 4);
      y2 = entry<Change>(i + 8);
      y3 = entry<Change>(i + 12);
    }
    j = mix<L>(i + 4, j, x, load<u32>(n, RC4_KEY + 4));
    k = mix<Change>(i + 4, k, y, load<u32>(n, RC4_CHANGE_KEY + 4));
    if (j - i - 8 < 8) {
      x2 = entry<L>(i + 8);
      x3 = entry<L>(i + 12);
    }
    if (k - i - 8 < 8) {
      y2 = entry<Change>(i + 8);
      y3 = entry<Change>(i + 12);
    }
    j = mix<L>(i + 8, j, x2, load<u32>(n, RC4_KEY + 8));
    k = mix<Change>(i + 8, k, y2, load<u32>(n, RC4_CHANGE_KEY + 8));
    if (j === i + 12) x3 = entry<L>(i + 12);
    if (k === i + 12) y3 = entry<Change>(i + 12);
    j = mix<L>(i + 12, j, x3, load<u32>(n, RC4_KEY + 12));
    k = mix<Change>(i + 12, k, y3, load<u32>(n, RC4_CHANGE_KEY + 12));
  }
}

/** RFC 3078 §7.3: the interim key encrypted under itself, then the bits that a weak key gives up. */
function finishChange(length: usize, bits: u32): void {
  run<Change>(NEXT_KEY, length, 0, 0);
  if (bits === 128) return;
  store<u8>(NEXT_KEY, 0xd1);
  if (bits === 56) return;
  store<u8>(NEXT_KEY, 0x26, 1);
  store<u8>(NEXT_KEY, 0x9e, 2);
}

function keyLength(bits: u32): usize {
  return bits === 128 ? 16 : 8;
}

/** The key as RC4 takes it: 16 entries. */
@inline
function spread(key: usize, length: usize, to: usize): void {
  for (let n: usize = 0; n < 16; n += 4) {
    const word = load<u32>(key + (n & (length - 1)));
    const at = to + (n << 2);
    store<u32>(at, (word << 2) & MASK);
    store<u32>(at, (word >> 6) & MASK, 4);
    store<u32>(at, (word >> 14) & MASK, 8);
    store<u32>(at, (word >> 22) & MASK, 12);
  }
}

/** What is the same in every message: SHApad1 (zeros) and SHApad2, FIPS 180-4 §5.1.1 behind them. */
function pad(message: usize, length: usize): void {
  const end: usize = 2 * length + 80;
  for (let n: usize = 2 * length + 40; n < end; n += 4) putWord(message, n, 0xf2f2f2f2);
  putWord(message, end, 0x80000000);
  putWord(message, 124, <u32>(end << 3));
}

/** Puts the word at octet n of the message, whose second block is 16 words in the first's schedule further on. */
function putWord(message: usize, n: usize, word: u32): void {
  store<u32>(message + n + (n < 64 ? 0 : BLOCK - 64), word);
}

function putKey(message: usize, n: usize, key: usize, length: usize): void {
  for (let i: usize = 0; i < length; i += 4) putWord(message, n + i, bswap(load<u32>(key + i)));
}

/** GetNewKeyFromSHA of RFC 3079 §3.4: hash of start key, SHApad1, session key, SHApad2. */
function interimKey(length: usize): void {
  const message = length === 16 ? MESSAGE_16 : MESSAGE_8;
  putKey(message, 0, START_KEY, length);
  putKey(message, length + 40, SESSION_KEY, length);
  store<u32>(HASH, 0x67452301);
  store<u32>(HASH, 0xefcdab89, 4);
  store<u32>(HASH, 0x98badcfe, 8);
  store<u32>(HASH, 0x10325476, 12);
  store<u32>(HASH, 0xc3d2e1f0, 16);
  compress(message);
  compress(message + BLOCK);
  for (let n: usize = 0; n < 16; n += 4) store<u32>(NEXT_KEY + n, bswap(load<u32>(HASH + n)));
}

/**
 * FIPS 180-4 §6.1.2. Five rounds after each other need no moves between a, b, c, d and e; what the round before has
 * just made is added last.
 */
function compress(block: usize): void {
  const end = block + BLOCK;
  let x = load<u32>(block, 52);
  let y = load<u32>(block, 56);
  let z = load<u32>(block, 60);
  for (let at = block; at < end - 64; at += 16) {
    const word = expand(at, x);
    x = expand(at + 4, y);
    y = expand(at + 8, z);
    z = expand(at + 12, word);
  }
  let a = load<u32>(HASH);
  let b = load<u32>(HASH, 4);
  let c = load<u32>(HASH, 8);
  let d = load<u32>(HASH, 12);
  let e = load<u32>(HASH, 16);
  let at = block;
  for (; at < block + 80; at += 20) {
    e = (e + load<u32>(at) + 0x5a827999 + choose(b, c, d)) + rotl(a, 5);
    b = rotl(b, 30);
    d = (d + load<u32>(at, 4) + 0x5a827999 + choose(a, b, c)) + rotl(e, 5);
    a = rotl(a, 30);
    c = (c + load<u32>(at, 8) + 0x5a827999 + choose(e, a, b)) + rotl(d, 5);
    e = rotl(e, 30);
    b = (b + load<u32>(at, 12) + 0x5a827999 + choose(d, e, a)) + rotl(c, 5);
    d = rotl(d, 30);
    a = (a + load<u32>(at, 16) + 0x5a827999 + choose(c, d, e)) + rotl(b, 5);
    c = rotl(c, 30);
  }
  for (; at < block + 160; at += 20) {
    e = (e + load<u32>(at) + 0x6ed9eba1 + parity(b, c, d)) + rotl(a, 5);
    b = rotl(b, 30);
    d = (d + load<u32>(at, 4) + 0x6ed9eba1 + parity(a, b, c)) + rotl(e, 5);
    a = rotl(a, 30);
    c = (c + load<u32>(at, 8) + 0x6ed9eba1 + parity(e, a, b)) + rotl(d, 5);
    e = rotl(e, 30);
    b = (b + load<u32>(at, 12) + 0x6ed9eba1 + parity(d, e, a)) + rotl(c, 5);
    d = rotl(d, 30);
    a = (a + load<u32>(at, 16) + 0x6ed9eba1 + parity(c, d, e)) + rotl(b, 5);
    c = rotl(c, 30);
  }
  for (; at < block + 240; at += 20) {
    e = (e + load<u32>(at) + 0x8f1bbcdc + majority(b, c, d)) + rotl(a, 5);
    b = rotl(b, 30);
    d = (d + load<u32>(at, 4) + 0x8f1bbcdc + majority(a, b, c)) + rotl(e, 5);
    a = rotl(a, 30);
    c = (c + load<u32>(at, 8) + 0x8f1bbcdc + majority(e, a, b)) + rotl(d, 5);
    e = rotl(e, 30);
    b = (b + load<u32>(at, 12) + 0x8f1bbcdc + majority(d, e, a)) + rotl(c, 5);
    d = rotl(d, 30);
    a = (a + load<u32>(at, 16) + 0x8f1bbcdc + majority(c, d, e)) + rotl(b, 5);
    c = rotl(c, 30);
  }
  for (; at < end; at += 20) {
    e = (e + load<u32>(at) + 0xca62c1d6 + parity(b, c, d)) + rotl(a, 5);
    b = rotl(b, 30);
    d = (d + load<u32>(at, 4) + 0xca62c1d6 + parity(a, b, c)) + rotl(e, 5);
    a = rotl(a, 30);
    c = (c + load<u32>(at, 8) + 0xca62c1d6 + parity(e, a, b)) + rotl(d, 5);
    e = rotl(e, 30);
    b = (b + load<u32>(at, 12) + 0xca62c1d6 + parity(d, e, a)) + rotl(c, 5);
    d = rotl(d, 30);
    a = (a + load<u32>(at, 16) + 0xca62c1d6 + parity(c, d, e)) + rotl(b, 5);
    c = rotl(c, 30);
  }
  store<u32>(HASH, load<u32>(HASH) + a);
  store<u32>(HASH, load<u32>(HASH, 4) + b, 4);
  store<u32>(HASH, load<u32>(HASH, 8) + c, 8);
  store<u32>(HASH, load<u32>(HASH, 12) + d, 12);
  store<u32>(HASH, load<u32>(HASH, 16) + e, 16);
}

/** The word of the schedule 16 behind the one at `at`; `word` is the third before it. */
@inline
function expand(at: usize, word: u32): u32 {
  const next = rotl(word ^ load<u32>(at, 32) ^ load<u32>(at, 8) ^ load<u32>(at), 1);
  store<u32>(at, next, 64);
  return next;
}

@inline
function choose(b: u32, c: u32, d: u32): u32 {
  return d ^ (b & (c ^ d));
}

@inline
function parity(b: u32, c: u32, d: u32): u32 {
  return b ^ c ^ d;
}

@inline
function majority(b: u32, c: u32, d: u32): u32 {
  return (b & c) | (d & (b | c));
}
