/** Printed examples of MS-CHAP and of MPPE keys. Hex digits. */

/** RFC 2759 §9.2. */
export const MS_CHAP_V2 = {
  userName: 'User',
  password: 'clientPass',
  authenticatorChallenge: '5B5D7C7D7B3F2F3E3C2C602132262628',
  peerChallenge: '21402324255E262A28295F2B3A337C7E',
  challengeHash: 'D02E4386BCE91226',
  ntHash: '44EBBA8D5312B8D611474411F56989AE',
  ntHashHash: '41C00C584BD2D91C4017A2A12FA59F3F',
  ntResponse: '82309ECD8D708B5EA08FAA3981CD83544233114A3D85D6DF',
  authenticatorResponse: 'S=407A5589115FD0D6209F510FE9C04566932CDA56',
} as const;

/** RFC 2759 §9.3: DES keys of 7 octets, and the same with parity bits. */
export const DES_PARITY = [
  ['FC156AF7EDCD6C', 'FD0B5B5E7F6E34D9'],
  ['0EDDE3337D427F', '0E6E796737EA08FE'],
] as const;

/** RFC 2433 §B.2. */
export const MS_CHAP_V1 = {
  password: 'MyPw',
  challenge: '102DB5DF085D3041',
  ntHash: 'FC156AF7EDCD6C0EDDE3337D427F4EAC',
  ntResponse: '4E9D3C8F9CFD385D5BF4D3246791956CA4C351AB409A3D61',
} as const;

/** The widely published worked example of the LAN Manager and NTLM responses. */
export const LAN_MANAGER = {
  password: 'SecREt01',
  challenge: '0123456789ABCDEF',
  lmHash: 'FF3750BCC2B22412C2265B23734E0DAC',
  ntHash: 'CD06CA7C7E10C99B1D33B7485A2ED808',
  ntResponse: '25A98C1C31E81847466B29B2DF4680F39958FB8C213A9CC6',
} as const;

/** RFC 3079 §3.5, the authenticator's send direction after the exchange of MS_CHAP_V2. */
export const MPPE_MS_CHAP_V2 = [
  {
    bits: 40,
    startKey: '8B7CDC149B993A1B',
    sessionKey: 'D1269EC49FA62E3E',
    testMessage: '929137917E5803D668D75898',
  },
  {
    bits: 56,
    startKey: '8B7CDC149B993A1B',
    sessionKey: 'D15C00C49FA62E3E',
    // The RFC prints 58 as the last octet: a misprint, other RC4 codes give B8 as well.
    testMessage: '3F106833FA448DA842BC57B8',
  },
  {
    bits: 128,
    startKey: '8B7CDC149B993A1BA118CB153F56DCCB',
    sessionKey: '405CB2247A7956E6E211007AE27B22D4',
    testMessage: '81848317DF68846272FB5ABE',
  },
] as const;

/** Same exchange, 128 bits: the peer's send direction and the keys of stateless packets. */
export const MPPE_SESSION_KEYS = {
  peerStartKey: 'D5F0E9521E3EA9589645E86051C82226',
  peerSessionKey: '49D11D0F0CC6BEFBA2A9B4B688F91EEE',
  peerPackets: ['0E09C108101DFDDEF6C0E2F2D95D0BAD'],
  authenticatorPackets: ['726F10500E2B54135B1B74D7682F0471', '2805BC7869BEC825573A7803E95A3ACD'],
} as const;

/** RFC 3079 §2.5, MS-CHAPv1. */
export const MPPE_MS_CHAP_V1 = {
  password: 'clientPass',
  challenge: '102DB5DF085D3041',
  lmHash: '76A152936096D7830E2390227404AFD2',
  sessionKey40: 'D1269E538CEC4A08',
  sessionKey56: 'D10801538CEC4A08',
  // Step 3 of §2.5.3 prints CA for the ninth octet (C1), which does not lead to its session key.
  startKey128: 'A8947850CFC0ACC1D1789FB62DDCDDB0',
  sessionKey128: '59D159BC09F76F1DA2A86A28FFEC0B1E',
} as const;
