/** MPPE ends as RFC 3078 and ppp_mppe.c of Linux tell them: slow and obvious. Packets are header and encrypted octets. */
import { initialKeyTwin, nextKeyTwin, type Bits } from '../../crypto/mppe-twin.ts';
import { rc4Twin } from '../../crypto/rc4-twin.ts';

export interface TwinOptions {
  readonly startKey: Uint8Array;
  readonly bits: Bits;
  readonly stateful: boolean;
  /** Flushed packets change the key (Linux) or only start the key stream again (RFC 3078). */
  readonly changeOnFlush?: boolean;
  /** Flag packets have A (Linux) or not. */
  readonly flagsHaveA?: boolean;
}

export class MppeTwinSender {
  key: Uint8Array;
  count = 0;
  readonly #options: TwinOptions;
  #stream: Generator<number, never>;
  #flush = false;

  constructor(options: TwinOptions) {
    this.#options = options;
    this.key = initialKeyTwin(options.startKey, options.bits);
    this.#stream = rc4Twin(this.key);
  }

  flush(): void {
    this.#flush = true;
  }

  encrypt(plain: Uint8Array): Uint8Array {
    const { startKey, bits, stateful, changeOnFlush = true, flagsHaveA = true } = this.#options;
    const isFlag = this.count % 256 === 255;
    let hasA = !stateful || this.#flush || (isFlag && flagsHaveA);
    if (!stateful || isFlag || (this.#flush && changeOnFlush)) {
      this.key = nextKeyTwin(startKey, this.key, bits);
      this.#stream = rc4Twin(this.key);
    } else if (this.#flush) {
      this.#stream = rc4Twin(this.key);
    }
    if (this.#flush) hasA = true;
    this.#flush = false;
    const header = (hasA ? 0x8000 : 0) | 0x1000 | (this.count % 4096);
    this.count++;
    const encrypted = plain.map((octet) => octet ^ this.#stream.next().value);
    return Uint8Array.from([header >> 8, header & 0xff, ...encrypted]);
  }
}

/** The receiver of Linux: undefined is a packet it drops. */
export class MppeTwinReceiver {
  readonly #options: TwinOptions;
  #key: Uint8Array;
  #stream: Generator<number, never>;
  #count = -1;
  #discard = false;

  constructor(options: TwinOptions) {
    this.#options = options;
    this.#key = initialKeyTwin(options.startKey, options.bits);
    this.#stream = rc4Twin(this.#key);
  }

  decrypt(packet: Uint8Array): Uint8Array | undefined {
    const header = packet[0]! * 256 + packet[1]!;
    const count = header % 4096;
    const flushed = header >= 0x8000;
    if (!this.#options.stateful) {
      const ahead = (((count - this.#count) % 4096) + 4096) % 4096;
      if (ahead > 2048) return undefined;
      for (let n = 0; n < ahead; n++) this.#change();
      this.#count = count;
    } else if (!this.#discard) {
      this.#count = (this.#count + 1) % 4096;
      if (count !== this.#count) {
        this.#discard = true;
        return undefined;
      }
      if (flushed) this.#change();
    } else {
      if (!flushed) return undefined;
      while (count >> 8 !== this.#count >> 8) {
        this.#change();
        this.#count = (this.#count + 256) % 4096;
      }
      this.#discard = false;
      this.#count = count;
      this.#change();
    }
    return packet.subarray(2).map((octet) => octet ^ this.#stream.next().value);
  }

  #change(): void {
    this.#key = nextKeyTwin(this.#options.startKey, this.#key, this.#options.bits);
    this.#stream = rc4Twin(this.#key);
  }
}
