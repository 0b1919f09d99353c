/** The name we give to peers: host and vendor of PPTP, authenticator of CHAP. */
export const OWN_NAME = 'pptp-gateway';
