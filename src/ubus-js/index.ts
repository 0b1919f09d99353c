/** ubus in TypeScript: client, bus and codec. See README.md. */
export { decodeTable, encodeTable, type Table, type TypeName, type Value } from './blobmsg.ts';
export { Framer } from './framer.ts';
export {
  decodeMessage,
  encodeMessage,
  MalformedMessage,
  type Message,
  type MessageType,
} from './message.ts';
export { UbusError, type Status } from './status.ts';
