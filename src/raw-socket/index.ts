/** GRE on a raw IPv4 socket in batches. See README.md. */
export { IoContext } from '../native/io-context.ts';
export { IoError } from '../native/io-error.ts';
export {
  greReceiveWords,
  greSendWords,
  GreSocket,
  type IoCounters,
  type Slots,
  type Watcher,
} from './gre-socket.ts';
