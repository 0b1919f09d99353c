import type { ControlMessage } from '../../src/wire/control-message.ts';

/** ` result/error` of a message that has them. */
export function codesOf(message: ControlMessage): string {
  return 'resultCode' in message ? ` ${message.resultCode}/${message.errorCode}` : '';
}
