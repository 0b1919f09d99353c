/**
 * A PPP peer played by hand: what a certain program sends, frame by frame, and what our link answers.
 */
import assert from 'node:assert/strict';
import type { LinkOptions } from '../../src/ppp/options.ts';
import { isMalformed } from '../../src/wire/codec.ts';
import { decodeControlPacket, encodeControlPacket } from '../../src/wire/control-packet.ts';
import { decodePppFrame, encodePppFrame, PppProtocol } from '../../src/wire/ppp-frame.ts';
import { Station, type Output } from './link.ts';

export interface Packet {
  readonly protocol: number;
  readonly code: number;
  readonly identifier: number;
  /** Hexadecimal. */
  readonly data: string;
}

const fromHex = (text: string): Uint8Array => Buffer.from(text.replaceAll(' ', ''), 'hex');

export class PeerScript extends Station {
  now = 5_000_000;
  #seen = 0;

  constructor(options: LinkOptions) {
    super(options);
    this.link.handleLowerUp(this.now);
    this.#drain();
  }

  /** Sends a control packet; `data` is hexadecimal. */
  send(protocol: number, code: number, identifier: number, data = ''): this {
    const packet = encodeControlPacket({ code, identifier, data: fromHex(data) });
    return this.sendFrame(encodePppFrame(protocol, packet));
  }

  sendFrame(frame: Uint8Array): this {
    this.link.handleFrame(frame, this.now);
    this.#drain();
    return this;
  }

  wait(duration: number): this {
    const end = this.now + duration;
    for (let next; (next = this.link.nextTimeout()) !== undefined && next <= end;) {
      this.now = Math.max(this.now, next);
      this.link.handleTimeout(this.now);
      this.#drain();
    }
    this.now = end;
    return this;
  }

  /** What our link has sent since the last time this was asked. */
  answers(): Packet[] {
    const packets = this.all('transmit').map(({ frame }) => toPacket(frame));
    const fresh = packets.slice(this.#seen);
    this.#seen = packets.length;
    return fresh;
  }

  /** The next packet of our link must be this one. */
  expect(protocol: number, code: number, identifier?: number, data?: string): Packet {
    const output = this.all('transmit')[this.#seen];
    assert.ok(output !== undefined, `nothing sent, ${protocol.toString(16)} ${code} expected`);
    this.#seen++;
    const packet = toPacket(output.frame);
    const seen = `${packet.protocol.toString(16)} code ${packet.code} ${packet.data}`;
    assert.equal(packet.protocol, protocol, seen);
    assert.equal(packet.code, code, seen);
    if (identifier !== undefined) assert.equal(packet.identifier, identifier, seen);
    if (data !== undefined) assert.equal(packet.data, data.replaceAll(' ', ''));
    return packet;
  }

  expectNothing(): this {
    assert.deepEqual(this.answers(), []);
    return this;
  }

  /** LCP with the given options of the peer (hexadecimal), and our request acked. */
  openLcp(options = ''): this {
    const { identifier, data } = this.expect(PppProtocol.Lcp, 1);
    this.send(PppProtocol.Lcp, 1, 1, options);
    this.expect(PppProtocol.Lcp, 2, 1, options);
    return this.send(PppProtocol.Lcp, 2, identifier, data);
  }

  /** Acks our latest Configure-Request of `protocol`, which must come next. */
  ackRequest(protocol: number): Packet {
    const request = this.expect(protocol, 1);
    this.send(protocol, 2, request.identifier, request.data);
    return request;
  }

  get login(): Output<'login'> {
    const login = this.last('login');
    assert.ok(login !== undefined, 'no login');
    return login;
  }

  admit(grant: Parameters<Station['link']['admit']>[0]): this {
    this.link.admit(grant, this.now);
    this.#drain();
    return this;
  }

  /** Runs something on the link and takes its outputs. */
  act(action: (link: Station['link'], now: number) => void): this {
    action(this.link, this.now);
    this.#drain();
    return this;
  }

  #drain(): void {
    for (let output; (output = this.link.poll()) !== undefined;) this.outputs.push(output);
  }
}

function toPacket(frame: Uint8Array): Packet {
  const decoded = decodePppFrame(frame);
  assert.ok(!isMalformed(decoded));
  const packet = decodeControlPacket(decoded.payload);
  assert.ok(!isMalformed(packet));
  const { code, identifier, data } = packet;
  return { protocol: decoded.protocol, code, identifier, data: Buffer.from(data).toString('hex') };
}
