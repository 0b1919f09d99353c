/** The peers' variants: pppd's options (ppp 2.4.9) for a server and for a client, and what comes of them. */

/** How a login is made; the names of the option `auth`, and those that we never take. */
export type AuthMethod = 'mschap-v2' | 'mschap' | 'chap' | 'pap' | 'eap' | 'none';

export interface Mppe {
  readonly bits: 40 | 128;
  readonly stateful: boolean;
}

export interface Variant {
  readonly server: readonly string[];
  readonly client: readonly string[];
  /** What the server asks for and the client answers. */
  readonly auth: AuthMethod;
  readonly mppe?: Mppe;
}

const encrypted = ['novj', 'nobsdcomp', 'nodeflate', 'noipv6'];
const plain = ['nomppe', ...encrypted];
const stateful = ['mppe-stateful', ...encrypted];
const stateless = ['nomppe-stateful', ...encrypted];
/** Everything pppd likes to negotiate: a peer has to reject it in good order. */
const greedy = ['deflate 15', 'bsdcomp 15', '+ipv6'];
const refuseChap = ['refuse-chap', 'refuse-mschap', 'refuse-mschap-v2'];

const bits128: Mppe = { bits: 128, stateful: false };
const bits40: Mppe = { bits: 40, stateful: false };

export const variants = {
  mppe128: {
    server: ['require-mschap-v2', 'require-mppe-128', ...stateless],
    client: ['require-mppe-128', ...stateless],
    auth: 'mschap-v2',
    mppe: bits128,
  },
  // pppd accepts stateful mode when asked to, but never asks: between two of them the mode is stateless.
  'mppe128-stateful': {
    server: ['require-mschap-v2', 'require-mppe-128', ...stateful],
    client: ['require-mppe-128', ...stateful],
    auth: 'mschap-v2',
    mppe: { bits: 128, stateful: true },
  },
  mppe40: {
    server: ['require-mschap-v2', 'require-mppe-40', 'nomppe-128', ...stateless],
    client: ['require-mppe-40', 'nomppe-128', ...stateless],
    auth: 'mschap-v2',
    mppe: bits40,
  },
  'mppe40-stateful': {
    server: ['require-mschap-v2', 'require-mppe-40', 'nomppe-128', ...stateful],
    client: ['require-mppe-40', 'nomppe-128', ...stateful],
    auth: 'mschap-v2',
    mppe: { bits: 40, stateful: true },
  },
  // Keys from MS-CHAP-v1.
  'mppe-v1': {
    server: ['require-mschap', 'require-mppe', ...encrypted],
    client: ['refuse-mschap-v2', 'require-mppe', ...encrypted],
    auth: 'mschap',
    mppe: bits128,
  },
  mschapv2: {
    server: ['require-mschap-v2', ...plain],
    client: ['refuse-eap', 'refuse-mschap', 'refuse-chap', 'refuse-pap', ...plain],
    auth: 'mschap-v2',
  },
  mschap: {
    server: ['require-mschap', ...plain],
    client: ['refuse-eap', 'refuse-mschap-v2', 'refuse-chap', 'refuse-pap', ...plain],
    auth: 'mschap',
  },
  chap: {
    server: ['require-chap', ...plain],
    client: ['refuse-eap', 'refuse-mschap-v2', 'refuse-mschap', 'refuse-pap', ...plain],
    auth: 'chap',
  },
  pap: {
    server: ['require-pap', ...plain],
    client: ['refuse-eap', ...refuseChap, ...plain],
    auth: 'pap',
  },
  eap: {
    server: ['require-eap', ...plain],
    client: ['refuse-pap', ...refuseChap, ...plain],
    auth: 'eap',
  },
  noauth: {
    server: ['noauth', ...plain],
    client: ['refuse-eap', 'refuse-pap', ...refuseChap, ...plain],
    auth: 'none',
  },
  // Could have keys, but does not speak CCP.
  noccp: {
    server: ['require-mschap-v2', 'noccp', 'nomppe', 'novj', 'noipv6'],
    client: ['noccp', 'nomppe', 'novj', 'noipv6'],
    auth: 'mschap-v2',
  },
  greedy: {
    server: ['require-mschap-v2', ...greedy],
    client: greedy,
    auth: 'mschap-v2',
  },
  'greedy-mppe': {
    server: ['require-mschap-v2', 'require-mppe-128', ...greedy],
    client: ['require-mppe-128', ...greedy],
    auth: 'mschap-v2',
    mppe: bits128,
  },
} as const satisfies Record<string, Variant>;

export type VariantName = keyof typeof variants;

export const variantNames = Object.keys(variants) as VariantName[];
