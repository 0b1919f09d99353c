/**
 * MPPE's arithmetic in AssemblyScript, in the memory that holds the packets: RC4, and the key change of RFC 3078 §7.3 with
 * its two blocks of SHA-1 (FIPS 180-4 §6.1). wasm-cipher.ts calls it; tools/build-wasm.ts compiles it into binary.ts.
 *
 * Every step of RC4 waits for the one before it, so two independent streams side by side cost less than one after the
 * other: those of two packets (applyBoth), and a packet's key set-up with the one inside the change to the key after it
 * (prepare).
 *
 * A lane holds the permutation of one packet's key stream, from prepare() until it is applied once. Everything lies at
 * fixed places in the first 64 kB and the arena behind them; nothing is allocated.
 */

/** Five lanes of 256 octets: two of the sender, two of the receiver, one for the key change. */
const LANES: usize = 0x1000;
const CHANGE_LANE: usize = 0x1400;
/** The octets 0 to 255. */
const IDENTITY: usize = 0x1500;
/** 16 octets each: start key and session key, put there by the caller, and the session key after it. */
const START_KEY: usize = 0x1600;
const SESSION_KEY: usize = 0x1610;
const NEXT_KEY: usize = 0x1620;
/** Keys for RC4, 16 octets each: one of 8 octets stands there twice. */
const RC4_KEY: usize = 0x1630;
const RC4_CHANGE_KEY: usize = 0x1640;
/** What GetNewKeyFromSHA (RFC 3079 §3.4) hashes, padded to two blocks: with keys of 16 octets and of 8. */
const MESSAGE_16: usize = 0x1680;
const MESSAGE_8: usize = 0x1700;
/** The 80 words of a block's schedule, and the hash. */
const WORDS: usize = 0x1780;
const WORDS_20: usize = WORDS + 80;
const WORDS_40: usize = WORDS + 160;
const WORDS_60: usize = WORDS + 240;
const WORDS_80: usize = WORDS + 320;
const HASH: usize = 0x18c0;

for (let n: usize = 0; n < 256; n++) store<u8>(IDENTITY + n, <u8>n);
pad(MESSAGE_16, 16);
pad(MESSAGE_8, 8);

/** Where the start key lies, and 16 and 32 octets behind it the session key and the next one. */
export function keysAt(): usize {
  return START_KEY;
}

/** Starts the key stream of the session key in `lane` (0 to 3) and makes the session key after it. */
export function prepare(lane: usize, bits: u32): void {
  const length = keyLength(bits);
  interimKey(length);
  repeat(SESSION_KEY, length, RC4_KEY);
  repeat(NEXT_KEY, length, RC4_CHANGE_KEY);
  scheduleBoth(LANES + (lane << 8));
  finishChange(length, bits);
}

/** Makes the session key after the session key, and no more. */
export function change(bits: u32): void {
  const length = keyLength(bits);
  interimKey(length);
  repeat(NEXT_KEY, length, RC4_CHANGE_KEY);
  memory.copy(CHANGE_LANE, IDENTITY, 256);
  let j: u32 = 0;
  for (let i: usize = 0; i < 256; i++) j = mix(CHANGE_LANE, i, j, octet(RC4_CHANGE_KEY + (i & 15)));
  finishChange(length, bits);
}

/** En- or decrypts `length` octets in place with the stream of `lane`. */
export function apply(lane: usize, at: usize, length: usize): void {
  run(LANES + (lane << 8), at, length, 0, 0);
}

/**
 * The same with the first or the other two lanes, side by side as far as both packets reach. Two functions, so that each
 * has its lanes at constants: 6 % less per packet.
 */
export function applyBothSent(at: usize, length: usize, at2: usize, length2: usize): void {
  applyBoth(LANES, at, length, at2, length2);
}

export function applyBothReceived(at: usize, length: usize, at2: usize, length2: usize): void {
  applyBoth(LANES + 512, at, length, at2, length2);
}

@inline
function applyBoth(s: usize, at: usize, length: usize, at2: usize, length2: usize): void {
  const t = s + 256;
  const both = min(length, length2) & ~3;
  let i: usize = 0;
  let j: u32 = 0;
  let k: u32 = 0;
  const whole = at + both;
  for (; at < whole; at += 4, at2 += 4) {
    let x = octet(s + i, 1);
    let y = octet(t + i, 1);
    j = (j + x) & 0xff;
    k = (k + y) & 0xff;
    let stream = swap(s, i + 1, j, x);
    let stream2 = swap(t, i + 1, k, y);
    x = octet(s + i, 2);
    y = octet(t + i, 2);
    j = (j + x) & 0xff;
    k = (k + y) & 0xff;
    stream |= swap(s, i + 2, j, x) << 8;
    stream2 |= swap(t, i + 2, k, y) << 8;
    x = octet(s + i, 3);
    y = octet(t + i, 3);
    j = (j + x) & 0xff;
    k = (k + y) & 0xff;
    stream |= swap(s, i + 3, j, x) << 16;
    stream2 |= swap(t, i + 3, k, y) << 16;
    i = (i + 4) & 0xff;
    x = octet(s + i);
    y = octet(t + i);
    j = (j + x) & 0xff;
    k = (k + y) & 0xff;
    stream |= swap(s, i, j, x) << 24;
    stream2 |= swap(t, i, k, y) << 24;
    store<u32>(at, load<u32>(at) ^ stream);
    store<u32>(at2, load<u32>(at2) ^ stream2);
  }
  run(s, at, length - both, i, j);
  run(t, at2, length2 - both, i, k);
}

/** The stream in `s` from its indexes i (a multiple of four) and j on. */
function run(s: usize, at: usize, length: usize, i: usize, j: u32): void {
  const end = at + length;
  for (const whole = at + (length & ~3); at < whole; at += 4) {
    let x = octet(s + i, 1);
    j = (j + x) & 0xff;
    let stream = swap(s, i + 1, j, x);
    x = octet(s + i, 2);
    j = (j + x) & 0xff;
    stream |= swap(s, i + 2, j, x) << 8;
    x = octet(s + i, 3);
    j = (j + x) & 0xff;
    stream |= swap(s, i + 3, j, x) << 16;
    i = (i + 4) & 0xff;
    x = octet(s + i);
    j = (j + x) & 0xff;
    stream |= swap(s, i, j, x) << 24;
    store<u32>(at, load<u32>(at) ^ stream);
  }
  for (; at < end; at++) {
    i = (i + 1) & 0xff;
    const x = octet(s + i);
    j = (j + x) & 0xff;
    store<u8>(at, load<u8>(at) ^ <u8>swap(s, i, j, x));
  }
}

@inline
function octet(at: usize, offset: usize = 0): u32 {
  return load<u8>(at + offset);
}

/** Exchanges s[i], which is x, with s[j]. @returns the octet of the key stream */
@inline
function swap(s: usize, i: usize, j: u32, x: u32): u32 {
  const y = octet(s + j);
  store<u8>(s + i, <u8>y);
  store<u8>(s + j, <u8>x);
  return octet(s + ((x + y) & 0xff));
}

/** One step of the key set-up. @returns the new j */
@inline
function mix(s: usize, i: usize, j: u32, key: u32): u32 {
  const x = octet(s + i);
  const next = (j + x + key) & 0xff;
  store<u8>(s + i, <u8>octet(s + next));
  store<u8>(s + next, <u8>x);
  return next;
}

/** The key set-up of lane `s` from RC4_KEY, and beside it the key change's. */
function scheduleBoth(s: usize): void {
  memory.copy(s, IDENTITY, 256);
  memory.copy(CHANGE_LANE, IDENTITY, 256);
  let j: u32 = 0;
  let k: u32 = 0;
  for (let i: usize = 0; i < 256; i += 4) {
    const n = i & 15;
    j = mix(s, i, j, octet(RC4_KEY + n));
    k = mix(CHANGE_LANE, i, k, octet(RC4_CHANGE_KEY + n));
    j = mix(s, i + 1, j, octet(RC4_KEY + n, 1));
    k = mix(CHANGE_LANE, i + 1, k, octet(RC4_CHANGE_KEY + n, 1));
    j = mix(s, i + 2, j, octet(RC4_KEY + n, 2));
    k = mix(CHANGE_LANE, i + 2, k, octet(RC4_CHANGE_KEY + n, 2));
    j = mix(s, i + 3, j, octet(RC4_KEY + n, 3));
    k = mix(CHANGE_LANE, i + 3, k, octet(RC4_CHANGE_KEY + n, 3));
  }
}

/** RFC 3078 §7.3: the interim key encrypted under itself, then the bits that a weak key gives up. */
function finishChange(length: usize, bits: u32): void {
  run(CHANGE_LANE, NEXT_KEY, length, 0, 0);
  if (bits === 128) return;
  store<u8>(NEXT_KEY, 0xd1);
  if (bits === 56) return;
  store<u8>(NEXT_KEY, 0x26, 1);
  store<u8>(NEXT_KEY, 0x9e, 2);
}

function keyLength(bits: u32): usize {
  return bits === 128 ? 16 : 8;
}

@inline
function repeat(key: usize, length: usize, to: usize): void {
  store<u64>(to, load<u64>(key));
  store<u64>(to, load<u64>(key + (length - 8)), 8);
}

@inline
function copyKey(key: usize, length: usize, to: usize): void {
  store<u64>(to, load<u64>(key));
  if (length === 16) store<u64>(to, load<u64>(key, 8), 8);
}

/** What is the same in every message: SHApad1 (zeros) and SHApad2, FIPS 180-4 §5.1.1 behind them. */
function pad(message: usize, length: usize): void {
  const end: usize = 2 * length + 80;
  memory.fill(message + (2 * length + 40), 0xf2, 40);
  store<u8>(message + end, 0x80);
  store<u16>(message + 126, bswap<u16>(<u16>(end << 3)));
}

/** GetNewKeyFromSHA of RFC 3079 §3.4: hash of start key, SHApad1, session key, SHApad2. */
function interimKey(length: usize): void {
  const message = length === 16 ? MESSAGE_16 : MESSAGE_8;
  copyKey(START_KEY, length, message);
  copyKey(SESSION_KEY, length, message + (length + 40));
  store<u32>(HASH, 0x67452301);
  store<u32>(HASH, 0xefcdab89, 4);
  store<u32>(HASH, 0x98badcfe, 8);
  store<u32>(HASH, 0x10325476, 12);
  store<u32>(HASH, 0xc3d2e1f0, 16);
  compress(message);
  compress(message + 64);
  for (let n: usize = 0; n < 16; n += 4) store<u32>(NEXT_KEY + n, bswap(load<u32>(HASH + n)));
}

/** FIPS 180-4 §6.1.2. Five rounds after each other need no moves between a, b, c, d and e. */
function compress(block: usize): void {
  for (let n: usize = 0; n < 64; n += 4) store<u32>(WORDS + n, bswap(load<u32>(block + n)));
  for (let at = WORDS + 64; at < WORDS_80; at += 4) {
    const word = load<u32>(at - 12) ^ load<u32>(at - 32) ^ load<u32>(at - 56) ^ load<u32>(at - 64);
    store<u32>(at, rotl(word, 1));
  }
  let a = load<u32>(HASH);
  let b = load<u32>(HASH, 4);
  let c = load<u32>(HASH, 8);
  let d = load<u32>(HASH, 12);
  let e = load<u32>(HASH, 16);
  let at = WORDS;
  for (; at < WORDS_20; at += 20) {
    e += rotl(a, 5) + choose(b, c, d) + 0x5a827999 + load<u32>(at);
    b = rotl(b, 30);
    d += rotl(e, 5) + choose(a, b, c) + 0x5a827999 + load<u32>(at, 4);
    a = rotl(a, 30);
    c += rotl(d, 5) + choose(e, a, b) + 0x5a827999 + load<u32>(at, 8);
    e = rotl(e, 30);
    b += rotl(c, 5) + choose(d, e, a) + 0x5a827999 + load<u32>(at, 12);
    d = rotl(d, 30);
    a += rotl(b, 5) + choose(c, d, e) + 0x5a827999 + load<u32>(at, 16);
    c = rotl(c, 30);
  }
  for (; at < WORDS_40; at += 20) {
    e += rotl(a, 5) + parity(b, c, d) + 0x6ed9eba1 + load<u32>(at);
    b = rotl(b, 30);
    d += rotl(e, 5) + parity(a, b, c) + 0x6ed9eba1 + load<u32>(at, 4);
    a = rotl(a, 30);
    c += rotl(d, 5) + parity(e, a, b) + 0x6ed9eba1 + load<u32>(at, 8);
    e = rotl(e, 30);
    b += rotl(c, 5) + parity(d, e, a) + 0x6ed9eba1 + load<u32>(at, 12);
    d = rotl(d, 30);
    a += rotl(b, 5) + parity(c, d, e) + 0x6ed9eba1 + load<u32>(at, 16);
    c = rotl(c, 30);
  }
  for (; at < WORDS_60; at += 20) {
    e += rotl(a, 5) + majority(b, c, d) + 0x8f1bbcdc + load<u32>(at);
    b = rotl(b, 30);
    d += rotl(e, 5) + majority(a, b, c) + 0x8f1bbcdc + load<u32>(at, 4);
    a = rotl(a, 30);
    c += rotl(d, 5) + majority(e, a, b) + 0x8f1bbcdc + load<u32>(at, 8);
    e = rotl(e, 30);
    b += rotl(c, 5) + majority(d, e, a) + 0x8f1bbcdc + load<u32>(at, 12);
    d = rotl(d, 30);
    a += rotl(b, 5) + majority(c, d, e) + 0x8f1bbcdc + load<u32>(at, 16);
    c = rotl(c, 30);
  }
  for (; at < WORDS_80; at += 20) {
    e += rotl(a, 5) + parity(b, c, d) + 0xca62c1d6 + load<u32>(at);
    b = rotl(b, 30);
    d += rotl(e, 5) + parity(a, b, c) + 0xca62c1d6 + load<u32>(at, 4);
    a = rotl(a, 30);
    c += rotl(d, 5) + parity(e, a, b) + 0xca62c1d6 + load<u32>(at, 8);
    e = rotl(e, 30);
    b += rotl(c, 5) + parity(d, e, a) + 0xca62c1d6 + load<u32>(at, 12);
    d = rotl(d, 30);
    a += rotl(b, 5) + parity(c, d, e) + 0xca62c1d6 + load<u32>(at, 16);
    c = rotl(c, 30);
  }
  store<u32>(HASH, load<u32>(HASH) + a);
  store<u32>(HASH, load<u32>(HASH, 4) + b, 4);
  store<u32>(HASH, load<u32>(HASH, 8) + c, 8);
  store<u32>(HASH, load<u32>(HASH, 12) + d, 12);
  store<u32>(HASH, load<u32>(HASH, 16) + e, 16);
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
