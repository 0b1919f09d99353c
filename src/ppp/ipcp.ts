/**
 * What IPCP negotiates here: addresses (RFC 1332 §3.3), DNS and WINS servers (RFC 1877). Van Jacobson compression and
 * the old addresses option are rejected.
 */
import type { Ipv4 } from '../wire/brand.ts';
import type { CauseCode } from '../wire/cause.ts';
import { ipcpOptions, type IpcpOption } from '../wire/ipcp-options.ts';
import { Consideration, type OptionPolicy, type Verdict } from './option-policy.ts';

const serverOptions = ['primaryDns', 'secondaryDns', 'primaryNbns', 'secondaryNbns'] as const;
type ServerOption = (typeof serverOptions)[number];

export interface IpcpOptions {
  /** Our address; 0: the peer assigns one. */
  readonly localAddress: Ipv4;
  /** Whether `localAddress` stays, whatever the peer would like. */
  readonly keepLocalAddress: boolean;
  /** The only address that the peer may have; undefined: any. */
  readonly peerAddress: Ipv4 | undefined;
  /** Name servers for the peer; absent ones are rejected. */
  readonly offer: Readonly<Record<ServerOption, Ipv4 | undefined>>;
  readonly requestDns: boolean;
}

export class IpcpPolicy implements OptionPolicy<IpcpOption> {
  readonly options = ipcpOptions;
  readonly #ipcp: IpcpOptions;
  #localAddress: Ipv4;
  #peerAddress: Ipv4 | undefined;
  #omitsAddress = false;
  #addressAppended = false;
  /** Name servers we ask for, 0 until the peer tells them. */
  #servers: Map<ServerOption, Ipv4> | undefined;

  constructor(ipcp: IpcpOptions) {
    this.#ipcp = ipcp;
    this.#localAddress = ipcp.localAddress;
    this.restart();
  }

  /** Not carried: #ipcp, which is of the options and the grant. */
  save() {
    return {
      localAddress: this.#localAddress,
      peerAddress: this.#peerAddress,
      omitsAddress: this.#omitsAddress,
      addressAppended: this.#addressAppended,
      servers: this.#servers && [...this.#servers],
    };
  }

  restore(saved: ReturnType<IpcpPolicy['save']>): void {
    this.#localAddress = saved.localAddress;
    this.#peerAddress = saved.peerAddress;
    this.#omitsAddress = saved.omitsAddress;
    this.#addressAppended = saved.addressAppended;
    this.#servers = saved.servers && new Map(saved.servers);
  }

  /** 0: none was agreed on. */
  get localAddress(): Ipv4 {
    return this.#localAddress;
  }

  /** 0: the peer told none. */
  get peerAddress(): Ipv4 {
    return this.#ipcp.peerAddress ?? this.#peerAddress ?? 0;
  }

  /** What the peer told. */
  get dns(): readonly Ipv4[] {
    return [...(this.#servers?.values() ?? [])].filter((address) => address !== 0);
  }

  restart(): void {
    this.#localAddress = this.#ipcp.localAddress;
    this.#peerAddress = undefined;
    this.#omitsAddress = false;
    this.#addressAppended = false;
    this.#servers = this.#ipcp.requestDns
      ? new Map([
          ['primaryDns', 0],
          ['secondaryDns', 0],
        ])
      : undefined;
  }

  request(): readonly IpcpOption[] {
    const request: IpcpOption[] = [];
    if (!this.#omitsAddress) request.push({ name: 'address', value: this.#localAddress });
    for (const [name, value] of this.#servers ?? []) request.push({ name, value });
    return request;
  }

  consider(peer: readonly IpcpOption[], mayNak: boolean): Verdict<IpcpOption> {
    const consideration = new Consideration<IpcpOption>(mayNak);
    const granted = this.#ipcp.peerAddress;
    let address: Ipv4 | undefined;
    for (const option of peer) {
      switch (option.name) {
        case 'address':
          address = option.value;
          if (granted !== undefined && option.value !== granted)
            consideration.nak(option, { name: 'address', value: granted });
          else if (option.value === 0) consideration.reject(option);
          break;
        case 'primaryDns':
        case 'secondaryDns':
        case 'primaryNbns':
        case 'secondaryNbns': {
          const ours = this.#ipcp.offer[option.name];
          if (ours === undefined) consideration.reject(option);
          else if (ours !== option.value)
            consideration.nak(option, { name: option.name, value: ours });
          break;
        }
        case 'addresses':
        case 'ipCompression':
        case 'unknown':
          consideration.reject(option);
          break;
      }
    }
    // A peer that asks for no address is told its address once; if it still asks for none, it has it silently.
    const append = granted !== undefined && address === undefined && !this.#addressAppended;
    if (append) consideration.append({ name: 'address', value: granted });
    const verdict = consideration.verdict();
    if (append && verdict.kind === 'nak') this.#addressAppended = true;
    if (verdict.kind === 'ack') this.#peerAddress = address;
    return verdict;
  }

  naked(options: readonly IpcpOption[]): CauseCode | undefined {
    for (const option of options) {
      if (option.name === 'address') {
        if (!this.#ipcp.keepLocalAddress && option.value !== 0) this.#localAddress = option.value;
      } else if (isServerOption(option) && this.#servers?.has(option.name) === true) {
        this.#servers.set(option.name, option.value);
      }
    }
    return undefined;
  }

  rejected(options: readonly IpcpOption[]): CauseCode | undefined {
    for (const option of options) {
      if (option.name === 'address') {
        if (this.#localAddress === 0) return 'IPCP_FAILED';
        this.#omitsAddress = true;
      } else if (isServerOption(option)) this.#servers?.delete(option.name);
    }
    return undefined;
  }
}

function isServerOption(option: IpcpOption): option is IpcpOption & { name: ServerOption } {
  return (serverOptions as readonly string[]).includes(option.name);
}
