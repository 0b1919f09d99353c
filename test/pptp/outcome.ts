import { codesOf } from './codes.ts';
import type { End, ControlEvent } from './pair.ts';

/** What a connection has put out, in words: messages with their codes first, then events. */
export function outcome(end: End): string {
  const sent = end.sent.splice(0).map((message) => `>${message.name}${codesOf(message)}`);
  return [...sent, ...end.takeEvents().map(describe)].join(', ');
}

function describe(event: ControlEvent): string {
  switch (event.kind) {
    case 'established':
      return 'established';
    case 'call-requested':
      return `requested ${event.direction}`;
    case 'request-withdrawn':
      return `withdrawn ${event.cause.code}`;
    case 'call-up':
      return `up ${event.callId}/${event.peerCallId}`;
    case 'call-down':
      return `call-down ${event.cause.code}`;
    case 'counted':
      return event.what;
    case 'down':
      return `down ${event.cause.code}`;
  }
}
