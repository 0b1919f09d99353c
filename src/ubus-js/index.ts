/** ubus in TypeScript: client, bus and codec. See README.md. */
export { decodeTable, encodeTable, type Table, type TypeName, type Value } from './blobmsg.ts';
export { UbusClient, type UbusClientOptions } from './client.ts';
export type { CallOptions, EndpointOptions, Found, Monitored } from './endpoint.ts';
export { Framer } from './framer.ts';
export {
  decodeMessage,
  encodeMessage,
  MalformedMessage,
  type Message,
  type MessageType,
} from './message.ts';
export { method, type Caller, type Method, type ObjectDefinition } from './objects.ts';
export { isServed, UbusServer, type UbusServerOptions } from './server.ts';
export type { ArgumentsOf, ArgumentType, ArgumentTypes, Signature } from './signature.ts';
export { UbusError, type Status } from './status.ts';
