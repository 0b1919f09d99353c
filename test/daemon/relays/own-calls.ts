/** Calls of our own client's control connection: all of them at once, on one TCP connection. */
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { Drive } from '../../../src/daemon/engine/drive.ts';
import { clock } from '../../../src/platform/platform.ts';
import { ControlConnection } from '../../../src/pptp/control-connection.ts';
import type { ControlOutput } from '../../../src/pptp/control-output.ts';
import type { ControlIdentity } from '../../../src/pptp/messages.ts';
import { noFaults } from '../../support/no-faults.ts';

/** What the server's ids are, as told to us, in the order of `callIds`; an error when any call fails. */
export function ownCalls(
  socket: Socket,
  identity: ControlIdentity,
  callIds: readonly number[],
): Promise<readonly number[]> {
  const machine = new ControlConnection({
    ...identity,
    initiator: true,
    maxCalls: callIds.length,
    handshakeTimeout: 15_000,
    callTimeout: 30_000,
    random: (length) => new Uint8Array(randomBytes(length)),
    count: () => undefined,
  });
  const drive = new Drive(noFaults());
  const told = new Map<number, number>();
  socket.on('data', (octets) => {
    machine.handleOctets(octets, clock.monotonic());
    drive.touched(machine);
  });
  return new Promise((resolve, reject) => {
    const carryOut = (output: ControlOutput) => {
      if (output.kind === 'transmit') socket.write(output.octets);
      else if (output.kind === 'established')
        for (const callId of callIds) machine.placeCall(callId, clock.monotonic());
      else if (output.kind === 'call-up') told.set(output.callId, output.peerCallId);
      else if (output.kind === 'call-down' || output.kind === 'down')
        reject(new Error(`${output.kind}: ${output.cause.code}`));
      if (told.size === callIds.length) resolve(callIds.map((callId) => told.get(callId)!));
    };
    drive.add(machine, { about: 'own calls', carryOut, failed: reject });
    machine.handleOpen(clock.monotonic());
    drive.touched(machine);
  });
}
