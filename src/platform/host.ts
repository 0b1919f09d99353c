/** The machine: its addresses, the names that it knows. */

export interface DeviceAddress {
  readonly device: string;
  readonly family: 'IPv4' | 'IPv6';
  readonly address: string;
  /** `192.168.1.1/24`; undefined: no such mask. */
  readonly cidr: string | undefined;
}

export interface Host {
  name(): string;
  /** Of devices that have a carrier. @throws no descriptor is left */
  addresses(): readonly DeviceAddress[];
  /** @throws nobody knows the name */
  resolve(name: string, family: 4 | 6): Promise<readonly string[]>;
  /** What an error number means. */
  systemError(errno: number): readonly [code: string, sentence: string] | undefined;
}
