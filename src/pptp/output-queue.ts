/** What a control connection has to say and nobody has polled yet. */
import { encodeControlMessage, type ControlMessage } from '../wire/control-message.ts';
import { takeFirst } from '../wire/queue.ts';
import type { ControlOutput } from './control-output.ts';

export class OutputQueue {
  readonly #outputs: ControlOutput[] = [];

  send(message: ControlMessage): void {
    this.emit({ kind: 'transmit', octets: encodeControlMessage(message) });
  }

  emit(output: ControlOutput): void {
    this.#outputs.push(output);
  }

  get isEmpty(): boolean {
    return this.#outputs.length === 0;
  }

  shift(): ControlOutput | undefined {
    return takeFirst(this.#outputs);
  }
}
