/** GRE packets for tests, written out by hand: RFC 2637 §4.1, sequence number present, no acknowledgement. */
export function grePacket(callId: number, payload: number, fill = 0): Uint8Array {
  const packet = new Uint8Array(12 + payload).fill(fill, 12);
  const view = new DataView(packet.buffer);
  view.setUint16(0, 0x3001);
  view.setUint16(2, 0x880b);
  view.setUint16(4, payload);
  view.setUint16(6, callId);
  return packet;
}
