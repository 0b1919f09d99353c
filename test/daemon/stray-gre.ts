/** Sends GRE of a call that nobody has, to one address, until it is ended: `stray-gre.ts ADDRESS`. */
import { IoContext } from '../../src/native/io-context.ts';
import { GreSocket } from '../../src/raw-socket/gre-socket.ts';
import { parseAddress } from '../../src/wire/ip.ts';

const io = new IoContext(new ArrayBuffer(16));
const gre = new GreSocket(io);
// RFC 2637 §4.1: key and sequence number, call id 47824, four octets of payload
new Uint8Array(io.arena).set([
  0x30, 1, 0x88, 0x0b, 0, 4, 0xba, 0xd0, 0, 0, 0, 0, 0xff, 3, 0xc0, 0x21,
]);
const packet = Int32Array.of(0, 16, parseAddress(process.argv[2]!)!, 0);
setInterval(() => {
  if (gre.send(packet, 1) === 1) console.log('sent');
}, 200);
