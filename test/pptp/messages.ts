/** One sample of each control message as a peer sends it: its own call id is PEER_CALL, ours OUR_CALL. */
import type { ControlMessage, ControlMessageName } from '../../src/wire/control-message.ts';

export const OUR_CALL = 7;
export const PEER_CALL = 9;

const start = {
  protocolVersion: 0x0100,
  framingCapabilities: 0,
  bearerCapabilities: 0,
  maximumChannels: 0,
  firmwareRevision: 0x1234,
  hostName: 'peer',
  vendorName: 'vendor',
};
const success = { resultCode: 1, errorCode: 0 };

export type Samples = { [N in ControlMessageName]: Extract<ControlMessage, { name: N }> };

export const samples: Samples = {
  StartControlConnectionRequest: { name: 'StartControlConnectionRequest', ...start },
  StartControlConnectionReply: { name: 'StartControlConnectionReply', ...start, ...success },
  StopControlConnectionRequest: { name: 'StopControlConnectionRequest', reason: 3 },
  StopControlConnectionReply: { name: 'StopControlConnectionReply', ...success },
  EchoRequest: { name: 'EchoRequest', identifier: 0xdeadbeef },
  EchoReply: { name: 'EchoReply', identifier: 0xdeadbeef, ...success },
  OutgoingCallRequest: {
    name: 'OutgoingCallRequest',
    callId: PEER_CALL,
    callSerialNumber: 1,
    minimumBps: 2400,
    maximumBps: 10_000_000,
    bearerType: 3,
    framingType: 3,
    packetReceiveWindowSize: 3,
    packetProcessingDelay: 0,
    phoneNumberLength: 3,
    phoneNumber: '123',
    subaddress: '',
  },
  OutgoingCallReply: {
    name: 'OutgoingCallReply',
    callId: PEER_CALL,
    peerCallId: OUR_CALL,
    ...success,
    causeCode: 0,
    connectSpeed: 10_000_000,
    packetReceiveWindowSize: 50,
    packetProcessingDelay: 0,
    physicalChannelId: 0,
  },
  IncomingCallRequest: {
    name: 'IncomingCallRequest',
    callId: PEER_CALL,
    callSerialNumber: 1,
    bearerType: 1,
    physicalChannelId: 0,
    dialedNumberLength: 3,
    dialingNumberLength: 3,
    dialedNumber: '456',
    dialingNumber: '789',
    subaddress: '',
  },
  IncomingCallReply: {
    name: 'IncomingCallReply',
    callId: PEER_CALL,
    peerCallId: OUR_CALL,
    ...success,
    packetReceiveWindowSize: 16,
    packetTransitDelay: 0,
  },
  IncomingCallConnected: {
    name: 'IncomingCallConnected',
    peerCallId: OUR_CALL,
    connectSpeed: 10_000_000,
    packetReceiveWindowSize: 24,
    packetTransitDelay: 0,
    framingType: 1,
  },
  CallClearRequest: { name: 'CallClearRequest', callId: PEER_CALL },
  CallDisconnectNotify: {
    name: 'CallDisconnectNotify',
    callId: PEER_CALL,
    resultCode: 1,
    errorCode: 0,
    causeCode: 0,
    callStatistics: '',
  },
  WanErrorNotify: {
    name: 'WanErrorNotify',
    peerCallId: OUR_CALL,
    crcErrors: 1,
    framingErrors: 2,
    hardwareOverruns: 3,
    bufferOverruns: 4,
    timeOutErrors: 5,
    alignmentErrors: 6,
  },
  SetLinkInfo: {
    name: 'SetLinkInfo',
    peerCallId: OUR_CALL,
    sendAccm: 0xffffffff,
    receiveAccm: 0xffffffff,
  },
};
