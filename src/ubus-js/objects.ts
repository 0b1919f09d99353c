/** Serving an object: INVOKE in, DATA and STATUS out, at once or later. */
import { errorText } from '../platform/errors.ts';
import { decodeTable, encodeTable, type Table } from './blobmsg.ts';
import type { Attributes, Message } from './message.ts';
import { checkArguments, type ArgumentsOf, type ArgumentTypes } from './signature.ts';
import { statusCode, UbusError } from './status.ts';

/** Who calls, as ubusd knows from the socket. */
export interface Caller {
  readonly user?: string;
  readonly group?: string;
}

/** undefined: STATUS alone. */
type Result = Table | undefined | Promise<Table | undefined>;

export interface Method {
  /** What a call that differs is refused for, with INVALID_ARGUMENT. */
  readonly arguments: ArgumentTypes;
  /** May answer later. Throws UbusError for a status; its message travels ahead of the status as {error}. */
  handle(args: Table, from: Caller): Result;
}

export interface ObjectDefinition {
  readonly path: string;
  readonly methods: Readonly<Record<string, Method>>;
  /** The first subscriber has come, or the last one has gone. */
  onSubscribers?(active: boolean): void;
}

/** Declares a method whose handler knows the types of its arguments. */
export function method<const A extends ArgumentTypes>(
  types: A,
  handle: (args: ArgumentsOf<A>, from: Caller) => Result,
): Method {
  return { arguments: types, handle: (args, from) => handle(args as ArgumentsOf<A>, from) };
}

type Transmit = (message: Message) => void;

const MAX_SERVING = 256;

/**
 * The calls that wait for their answers. Callers number their calls for themselves, so that a call is known by its caller
 * and number together: an answer echoes both.
 */
export class Calls {
  readonly #open = new Set<string>();

  /** Answers `message`, an INVOKE of `object`. What is transmitted after the connection is lost reaches nobody. */
  async serve(object: ObjectDefinition, message: Message, transmit: Transmit): Promise<void> {
    const { seq, peer, attributes } = message;
    const key = `${peer}:${seq}`;
    const objid = attributes.objid!;
    const reply = (type: 'DATA' | 'STATUS', values: Attributes) =>
      transmit({ type, seq, peer, attributes: values });
    if (this.#open.has(key)) return; // one answer for each number
    this.#open.add(key);
    let status: number = statusCode('OK');
    try {
      if (this.#open.size > MAX_SERVING)
        throw new UbusError('NO_MEMORY', 'too many calls at a time');
      const result = await invoke(object, attributes);
      if (result !== undefined) reply('DATA', { objid, data: encodeTable(result) });
    } catch (error) {
      const { status: name, message: text } = asUbusError(error);
      reply('DATA', { objid, data: encodeTable({ error: text }) });
      status = statusCode(name);
    } finally {
      this.#open.delete(key);
    }
    reply('STATUS', { status, objid });
  }
}

/** @throws whatever the handler throws, besides UbusError for what never reached it */
async function invoke(
  { path, methods }: ObjectDefinition,
  { method: name = '', data = new Uint8Array(), user, group }: Attributes,
): Promise<Table | undefined> {
  const found = Object.hasOwn(methods, name) ? methods[name] : undefined;
  if (found === undefined)
    throw new UbusError('METHOD_NOT_FOUND', `${path} has no method '${name}'`);
  const args = decodeTable(data);
  if (args instanceof UbusError) throw new UbusError('INVALID_ARGUMENT', args.message);
  checkArguments(found.arguments, args);
  return await found.handle(args, {
    ...(user === undefined ? {} : { user }),
    ...(group === undefined ? {} : { group }),
  });
}

function asUbusError(error: unknown): UbusError {
  if (error instanceof UbusError) return error;
  return new UbusError('UNKNOWN_ERROR', errorText(error));
}
