/**
 * The other end of a veth: a GRE socket in a namespace of its own that reports what reaches it.
 * Messages from the parent: { addresses } configures eth0 and opens the socket, { listen: false } closes it.
 */
import { readFileSync } from 'node:fs';
import { IoContext } from '../../src/native/io-context.ts';
import { GreSocket, greReceiveWords } from '../../src/raw-socket/gre-socket.ts';
import { endWithParent, ip } from '../native/namespace.ts';

export interface PeerRequest {
  readonly addresses?: readonly string[];
  readonly listen?: boolean;
}

export interface PeerReport {
  readonly ready?: true;
  readonly packet?: {
    readonly callId: number;
    readonly length: number;
    readonly source: number;
    readonly destination: number;
    readonly dontFragment: boolean;
    readonly fill: number;
    readonly reassembled: number;
  };
}

const io = new IoContext(new ArrayBuffer(16 * 8192));
const octets = new Uint8Array(io.arena);
const view = new DataView(io.arena);
const meta = new Int32Array(16 * greReceiveWords);
let socket: GreSocket | undefined;

process.on('message', (request: PeerRequest) => {
  if (request.addresses !== undefined) {
    for (const address of request.addresses) ip(`address add ${address} dev peer`);
    ip('link set peer up');
  }
  if (request.listen === false) socket?.close();
  else listen();
  report({ ready: true });
});
endWithParent();
process.channel?.ref();
report({ ready: true });

function listen(): void {
  socket = new GreSocket(io);
  socket.watch({ base: 0, size: 8192, count: 16, headroom: 32 }, meta, {
    onBatch(count) {
      for (let i = 0; i < count; i++) {
        const [at, length, source, destination] = meta.subarray(i * 4) as unknown as number[];
        report({
          packet: {
            callId: view.getUint16(at! + 6),
            length: length!,
            source: source! >>> 0,
            destination: destination! >>> 0,
            dontFragment: (view.getUint8(at! - 20 + 6) & 0x40) !== 0,
            fill: octets[at! + length! - 1]!,
            reassembled: reassembled(),
          },
        });
      }
    },
    onLost(error) {
      throw error;
    },
  });
}

/** Ip: ReasmOKs */
function reassembled(): number {
  const [names, values] = readFileSync('/proc/net/snmp', 'latin1').split('\n');
  return Number(values!.split(' ')[names!.split(' ').indexOf('ReasmOKs')]);
}

function report(message: PeerReport): void {
  process.send!(message);
}
