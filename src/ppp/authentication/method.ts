/**
 * Login methods as LCP's Authentication-Protocol option names them (RFC 1661 §6.2).
 */
import { ChapAlgorithm } from '../../wire/chap.ts';
import type { LcpOption } from '../../wire/lcp-options.ts';
import { PppProtocol } from '../../wire/ppp-frame.ts';
import { authMethods, type AuthMethod } from '../options.ts';

export type AuthenticationOption = Extract<LcpOption, { name: 'authentication' }>;

const table: Record<AuthMethod, AuthenticationOption> = {
  'mschap-v2': chap(ChapAlgorithm.MsChapV2),
  eap: { name: 'authentication', protocol: PppProtocol.Eap },
  mschap: chap(ChapAlgorithm.MsChap),
  chap: chap(ChapAlgorithm.Md5),
  pap: { name: 'authentication', protocol: PppProtocol.Pap },
};

function chap(algorithm: number): AuthenticationOption {
  return { name: 'authentication', protocol: PppProtocol.Chap, algorithm };
}

export function authenticationOption(method: AuthMethod): AuthenticationOption {
  return table[method];
}

/** The method that `option` asks for; undefined for what we do not have. */
export function methodOf({ protocol, algorithm }: AuthenticationOption): AuthMethod | undefined {
  return authMethods.find(
    (method) => table[method].protocol === protocol && table[method].algorithm === algorithm,
  );
}
