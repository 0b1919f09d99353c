/** In a worker thread: watches a TUN device, a GRE and a netlink socket, then ends as it was told. */
import { parentPort, workerData } from 'node:worker_threads';
import { IoContext } from '../../src/native/io-context.ts';
import { NETLINK_ROUTE, NetlinkWatch } from '../../src/native/netlink.ts';
import { GreSocket } from '../../src/raw-socket/gre-socket.ts';
import { TunDevice } from '../../src/tun-tap/tun-device.ts';

const { end } = workerData as { end: 'close' | 'exit' | 'terminate' | 'throw' };
const loopback = 0x7f00_0001;
const io = new IoContext(new ArrayBuffer(64 * 1024));
const gre = new GreSocket(io);
const tun = new TunDevice(io, 'worker%d');
const netlink = new NetlinkWatch(NETLINK_ROUTE, [1], () => undefined);

const onLost = (error: Error): void => {
  throw error;
};
tun.watch({ base: 0, size: 2048, count: 4, headroom: 0 }, new Int32Array(8), {
  onBatch: () => undefined,
  onLost,
});
gre.watch({ base: 8192, size: 2048, count: 4, headroom: 0 }, new Int32Array(16), {
  onBatch() {
    if (end === 'throw') throw new Error('thrown by the watcher');
    if (end === 'exit') process.exit(0);
    if (end === 'terminate') {
      parentPort?.postMessage('received');
      for (;;); // until it is terminated, in the middle of a batch
    }
    gre.close();
    tun.close();
    netlink.close();
  },
  onLost,
});
new DataView(io.arena).setBigUint64(32_768, 0x3001_880b_0000_0001n);
gre.send(Int32Array.of(32_768, 12, loopback, 0), 1);
