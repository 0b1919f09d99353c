/**
 * How often the keys of one login encrypt. CCP knows no other beginning than a login's start keys and count 0, so a
 * negotiation after packets have gone encrypts more with the same RC4 key stream: two packets of one key give away the
 * XOR of their contents. Peers that negotiate once again in good faith are borne with, once in a link's life; then a
 * new login must give new keys.
 */
export type Direction = 'send' | 'receive';

/** IP packets that have gone so far. */
export type PacketCount = (direction: Direction) => number;

export class KeyUse {
  readonly #packets: PacketCount;
  /** Packets when the keys were taken into use; undefined: they are not in use. */
  readonly #from: Record<Direction, number | undefined> = { send: undefined, receive: undefined };
  /** Packets have gone with these keys, from the last beginning on. */
  #isUsed = false;
  #hasRepeated = false;

  constructor(packets: PacketCount) {
    this.#packets = packets;
  }

  /** Not carried: #packets, the counters of the path. */
  save() {
    return {
      from: { send: this.#from.send, receive: this.#from.receive },
      isUsed: this.#isUsed,
      hasRepeated: this.#hasRepeated,
    };
  }

  restore({ from, isUsed, hasRepeated }: ReturnType<KeyUse['save']>): void {
    this.#from.send = from.send;
    this.#from.receive = from.receive;
    this.#isUsed = isUsed;
    this.#hasRepeated = hasRepeated;
  }

  /** A login has left new keys. */
  renew(): void {
    this.#from.send = this.#from.receive = undefined;
    this.#isUsed = false;
  }

  /** The keys are to be used from the start. `spent`: they must not be. */
  start(direction: Direction): 'new' | 'repeated' | 'spent' {
    this.stop(direction);
    if (this.#isUsed && this.#hasRepeated) return 'spent';
    const isRepeated = this.#isUsed;
    this.#hasRepeated ||= isRepeated;
    this.#isUsed = false;
    this.#from[direction] = this.#packets(direction);
    return isRepeated ? 'repeated' : 'new';
  }

  stop(direction: Direction): void {
    const from = this.#from[direction];
    if (from !== undefined && this.#packets(direction) > from) this.#isUsed = true;
    this.#from[direction] = undefined;
  }
}
