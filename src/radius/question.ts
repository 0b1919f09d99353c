/** Makes the packet that puts a request to a server, under a free identifier of one of its sockets. */
import type { RadiusAttribute } from '../wire/radius-attributes.ts';
import type { Asked, Exchange, Socket } from './exchange.ts';
import { sealRequest, type Random } from './sealing.ts';

export function putQuestion(
  socket: Socket,
  exchange: Exchange,
  random: Random,
  now: number,
): Asked {
  const { secret } = socket.server.options;
  const { code, attributes } = exchange.request;
  const delay = exchange.delay(now);
  const all: readonly RadiusAttribute[] =
    delay === undefined ? attributes : [...attributes, { name: 'Acct-Delay-Time', value: delay }];
  const isUnsigned = exchange.purpose === 'secret-check' || undefined;
  return socket.add(exchange, delay, secret, (identifier) =>
    sealRequest({ code, identifier, attributes: all }, secret, random, isUnsigned),
  );
}
