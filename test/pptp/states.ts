/** A control connection in each state that a peer can meet, with one call at most. */
import { cause } from '../../src/wire/cause.ts';
import { encodeControlMessage, type ControlMessage } from '../../src/wire/control-message.ts';
import { OUR_CALL, samples } from './messages.ts';
import { End } from './pair.ts';

const NOW = 5000;

export function feed(end: End, message: ControlMessage, now = NOW): void {
  end.connection.handleOctets(encodeControlMessage(message), now);
  end.drain();
}

function receiver(wonCollision = false): End {
  const end = new End({ wonCollision: () => wonCollision });
  end.connection.handleOpen(NOW);
  return end;
}

function originator(): End {
  const end = new End({ initiator: true });
  end.connection.handleOpen(NOW);
  return end;
}

function established(): End {
  const end = receiver();
  feed(end, samples.StartControlConnectionRequest);
  return end;
}

function requested(message: 'OutgoingCallRequest' | 'IncomingCallRequest'): End {
  const end = established();
  feed(end, samples[message]);
  return end;
}

function accepted(message: 'OutgoingCallRequest' | 'IncomingCallRequest'): End {
  const end = requested(message);
  end.connection.acceptCall(0, OUR_CALL, NOW);
  return end;
}

function placed(): End {
  const end = established();
  end.connection.placeCall(OUR_CALL, NOW);
  return end;
}

function offered(): End {
  const end = established();
  end.connection.offerCall(OUR_CALL, NOW);
  return end;
}

function after(end: End, message: ControlMessage): End {
  feed(end, message);
  return end;
}

function cleared(end: End): End {
  end.connection.clearCall(OUR_CALL, cause('USER_REQUEST'), NOW);
  return end;
}

const make = {
  'wait-ctl-request': () => receiver(),
  'wait-ctl-reply': originator,
  'wait-close': () => after(receiver(true), samples.StartControlConnectionRequest),
  'wait-stop-reply': () => {
    const end = established();
    end.connection.stop(cause('SHUTDOWN'), NOW);
    return end;
  },
  closed: () => after(established(), samples.StopControlConnectionRequest),
  established,
  'PAC outgoing wait-cs-ans': () => requested('OutgoingCallRequest'),
  'PAC outgoing established': () => accepted('OutgoingCallRequest'),
  'PNS outgoing wait-reply': placed,
  'PNS outgoing established': () => after(placed(), samples.OutgoingCallReply),
  'PNS outgoing wait-disconnect before the reply': () => cleared(placed()),
  'PNS outgoing wait-disconnect': () => cleared(after(placed(), samples.OutgoingCallReply)),
  'PNS incoming requested': () => requested('IncomingCallRequest'),
  'PNS incoming wait-connect': () => accepted('IncomingCallRequest'),
  'PNS incoming established': () =>
    after(accepted('IncomingCallRequest'), samples.IncomingCallConnected),
  'PNS incoming wait-disconnect': () => cleared(accepted('IncomingCallRequest')),
  'PAC incoming wait-reply': offered,
  'PAC incoming established': () => after(offered(), samples.IncomingCallReply),
};

export type StateName = keyof typeof make;
export const stateNames = Object.keys(make) as StateName[];

/** A fresh connection in the state, nothing left to look at. */
export function inState(name: StateName): End {
  const end = make[name]();
  end.drain();
  end.takeEvents();
  end.takeSent();
  return end;
}
