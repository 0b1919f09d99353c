/** GRE packets as a capture sees them, with a login inside. */
import { encodeChap } from '../../../src/wire/chap.ts';
import { encodeControlPacket } from '../../../src/wire/control-packet.ts';
import { createGreHeader, GRE_MAX_HEADER_LENGTH, writeGre } from '../../../src/wire/gre.ts';
import { encodePap } from '../../../src/wire/pap.ts';
import { encodePppFrame, PppProtocol } from '../../../src/wire/ppp-frame.ts';
import { textOf } from '../../../src/wire/text.ts';

export const octets = (text: string) => new TextEncoder().encode(text);

/** A PPP frame in GRE with sequence and acknowledgment number. */
export function gre(frame: Uint8Array): Uint8Array {
  const packet = new Uint8Array(GRE_MAX_HEADER_LENGTH + frame.length);
  writeGre(packet, 0, {
    ...createGreHeader(),
    payloadLength: frame.length,
    callId: 7,
    hasSequence: true,
    sequence: 1,
    hasAcknowledgment: true,
    acknowledgment: 2,
  });
  packet.set(frame, GRE_MAX_HEADER_LENGTH);
  return packet;
}

export const framed = (protocol: number, payload: Uint8Array) =>
  gre(encodePppFrame(protocol, payload));

/** What must never be in a capture: each octet of it is unlike anything else in these packets. */
export const password = 'Pässwörd-geheim-42';
export const proof = Uint8Array.from({ length: 49 }, (_, i) => 0xa5 ^ (i * 37));

export const pap = encodePap({
  kind: 'authenticate-request',
  identifier: 1,
  peerId: textOf('anna'),
  password: octets(password),
});

/** Every packet that carries a secret, by what it is. */
export const secretPackets: Readonly<Record<string, Uint8Array>> = {
  'PAP request': framed(PppProtocol.Pap, pap),
  'PAP request without FF 03': gre(Uint8Array.from([0xc0, 0x23, ...pap])),
  'PAP request, rejected by LCP': framed(
    PppProtocol.Lcp,
    encodeControlPacket({ code: 8, identifier: 3, data: Uint8Array.from([0xc0, 0x23, ...pap]) }),
  ),
  'CHAP response': framed(
    PppProtocol.Chap,
    encodeChap({ kind: 'response', identifier: 1, value: proof, name: textOf('anna') }),
  ),
  'CHAP success': framed(
    PppProtocol.Chap,
    encodeChap({ kind: 'success', identifier: 1, message: textOf(`S=${password}`) }),
  ),
  'CHAP failure': framed(
    PppProtocol.Chap,
    encodeChap({ kind: 'failure', identifier: 1, message: textOf(`C=${password}`) }),
  ),
  EAP: framed(PppProtocol.Eap, Uint8Array.from([2, 1, 0, 60, 4, ...octets(password)])),
  'Shiva PAP, which we do not know': framed(
    0xc027,
    Uint8Array.from([1, 1, 0, 60, ...octets(password)]),
  ),
  'payload of an IP packet': framed(
    PppProtocol.Ip,
    Uint8Array.from([0x45, ...new Uint8Array(27), ...octets(password)]),
  ),
  'compressed data': framed(
    PppProtocol.Compressed,
    Uint8Array.from([0x90, 0, ...octets('xx'), ...octets(password)]),
  ),
  'data of an unknown protocol': framed(0x0031, Uint8Array.from([1, 2, 3, 4, ...octets(password)])),
};
