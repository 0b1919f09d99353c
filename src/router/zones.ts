/** What names in a relay's `src` and `dest` stand for: network devices. */

export interface Zones {
  /**
   * The devices of a zone, network or device name; `name*` stands for all that begin so. Empty: it has none (yet).
   * @throws RouterError nobody can be asked
   */
  devices(name: string): Promise<readonly string[]>;
}

/** Plain Linux: every name is that of a device, whether it exists already or not; `ppp+` stands for ppp0, ppp1 and so on. */
export const deviceNames: Zones = {
  devices: (name) => Promise.resolve([name.replace(/\+$/, '*')]),
};
