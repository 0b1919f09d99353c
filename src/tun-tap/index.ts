/** Linux TUN devices in batches. See README.md. */
export { IoContext } from '../native/io-context.ts';
export { IoError } from '../native/io-error.ts';
export {
  sendTun,
  TunDevice,
  tunReceiveWords,
  tunSendWords,
  type IoCounters,
  type Slots,
  type Watcher,
} from './tun-device.ts';
