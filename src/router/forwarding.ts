/**
 * The way of callers to other networks on plain Linux, for servers with the option masquerade: forwarding, and the nftables
 * table `ip pptp_gateway_callers`, which gives their packets an address of this machine.
 *
 * net.ipv4.ip_forward would make a router of the machine, between all its networks and for everybody, and who has switched it
 * on cannot be told when it is time to switch it off. So it is left alone: where it is 0 the switches of single devices are
 * used, of the server's own, which goes with it, and of those that answers come in by. What came in there was forwarded to
 * nowhere before, and the table drops it as before, but for answers to callers. Once somebody else switches ip_forward on
 * these devices are his.
 */
import { errorCode } from '../platform/errors.ts';
import { files } from '../platform/platform.ts';
import { Serial } from './jobs.ts';
import type { OwnNetwork } from './own-networks.ts';
import type { Journal } from './journal.ts';
import type { Netlink } from './netlink-message.ts';
import { deviceSet, nft, nftJson } from './nft-command.ts';
import { tableState } from './nft-state.ts';

export const CALLER_TABLE = 'pptp_gateway_callers';

const CLEAR = `add table ip ${CALLER_TABLE}\ndelete table ip ${CALLER_TABLE}\n`;
const CHAINS = ['forward', 'postrouting'];
const SETTINGS = '/proc/sys/net/ipv4';
/** What nft takes for a device's name as it stands. */
const NAME = /^[\w.:+-]+$/;

export class Forwarding {
  readonly #netfilter: Netlink;
  readonly #journal: Journal;
  readonly #networks: () => readonly OwnNetwork[];
  /** Devices of servers, and whether their callers are masqueraded. */
  readonly #servers = new Map<string, boolean>();
  /** The table as we made it, and as the kernel had it then. */
  #made: { readonly text: string; readonly state: string | undefined } | undefined;
  readonly #serial = new Serial();

  constructor(netfilter: Netlink, journal: Journal, networks: () => readonly OwnNetwork[]) {
    this.#netfilter = netfilter;
    this.#journal = journal;
    this.#networks = networks;
  }

  /** Not carried: #netfilter, #journal, #networks, #serial. */
  save() {
    return { servers: [...this.#servers], made: this.#made };
  }

  adopt({ servers, made }: ReturnType<Forwarding['save']>): void {
    for (const [device, masquerade] of servers) this.#servers.set(device, masquerade);
    this.#made = made;
  }

  /** @throws RouterError the callers of this server do not get further than this machine */
  serverUp(device: string, masquerade: boolean): Promise<void> {
    this.#servers.set(device, masquerade);
    return this.#serial.run('', async () => {
      await this.#apply();
    });
  }

  /** @throws RouterError something is left */
  serverDown(device: string): Promise<void> {
    this.#servers.delete(device);
    return this.#serial.run('', async () => {
      await this.#apply();
    });
  }

  /**
   * Takes up devices that are new, and puts back what somebody has removed.
   * @returns whether something was missing
   * @throws RouterError it cannot be put back
   */
  look(): Promise<boolean> {
    return this.#serial.run('', async () => {
      if (!this.#isWanted()) return false;
      const isMissing =
        this.#made !== undefined &&
        tableState(this.#netfilter, CALLER_TABLE, CHAINS) !== this.#made.state;
      if (isMissing) this.#made = undefined;
      const isSwitchedOff = await this.#apply();
      return isMissing || isSwitchedOff;
    });
  }

  /** Undoes everything, also what a daemon before us has left. @throws RouterError */
  clear(): Promise<void> {
    return this.#serial.run('', async () => {
      this.#servers.clear();
      await this.#undo();
    });
  }

  #isWanted(): boolean {
    return [...this.#servers.values()].includes(true);
  }

  /** @returns whether a switch of ours had been switched off */
  async #apply(): Promise<boolean> {
    if (!this.#isWanted()) {
      if (this.#made !== undefined || this.#switched().length > 0) await this.#undo();
      return false;
    }
    const own = [...this.#servers].flatMap(([device, masquerade]) => (masquerade ? [device] : []));
    const before = this.#made === undefined ? [] : [...own, ...this.#switched()];
    if ((await readSwitch('ip_forward')) === '0') {
      for (const device of this.#others())
        if ((await readSwitch(`conf/${device}/forwarding`)) === '0')
          this.#journal.add('forwarding', entryOf(device));
    } else this.#forget();
    // The table first: then nothing passes that should not.
    const text = tableText(this.#servers, this.#switched());
    if (text !== this.#made?.text) {
      this.#made = undefined;
      await nft(CLEAR + text);
      this.#made = { text, state: tableState(this.#netfilter, CALLER_TABLE, CHAINS) };
    }
    let isSwitchedOff = false;
    for (const device of [...own, ...this.#switched()])
      isSwitchedOff = ((await switchOn(device)) && before.includes(device)) || isSwitchedOff;
    return isSwitchedOff;
  }

  async #undo(): Promise<void> {
    this.#made = undefined;
    // First: what was forwarded for callers must not be forwarded for others.
    if ((await readSwitch('ip_forward')) === '0')
      for (const device of this.#switched()) await writeSwitch(device, '0');
    this.#forget();
    if (tableState(this.#netfilter, CALLER_TABLE, []) !== undefined) await nft(CLEAR);
  }

  #forget(): void {
    for (const entry of this.#journal.all('forwarding')) this.#journal.remove('forwarding', entry);
  }

  /** Devices whose forwarding is of our making. */
  #switched(): readonly string[] {
    return this.#journal.all('forwarding').map(({ device }) => device);
  }

  /** Devices with addresses, other than servers'. */
  #others(): ReadonlySet<string> {
    const all = this.#networks().map(({ device }) => device);
    return new Set(
      all.filter((name) => NAME.test(name) && name !== 'lo' && !this.#servers.has(name)),
    );
  }
}

/** Chains of others that drop what is forwarded unless a rule of theirs lets it pass, for the owner; ours cannot overrule them. */
export async function forwardDroppers(): Promise<readonly string[]> {
  const { nftables } = (await nftJson('list', 'chains')) as {
    readonly nftables: readonly { readonly chain?: Readonly<Record<string, string | number>> }[];
  };
  return nftables.flatMap(({ chain }) =>
    chain?.['hook'] === 'forward' && chain['policy'] === 'drop' && chain['family'] !== 'ip6'
      ? [`${chain['family']!} ${chain['table']!} ${chain['name']!}`]
      : [],
  );
}

function tableText(servers: ReadonlyMap<string, boolean>, switched: readonly string[]): string {
  const own = deviceSet([...servers.keys()]);
  const masqueraded = [...servers].flatMap(([device, masquerade]) => (masquerade ? [device] : []));
  const callers = deviceSet(masqueraded);
  // Other ways than those of callers stay as they were, also between two servers, and what is bridged is not forwarded.
  const closed = switched.map((device) => `iifname "${device}" oifname != "${device}" drop`);
  const apart =
    switched.length === 0
      ? []
      : masqueraded.map(
          (device) => `iifname "${device}" oifname != "${device}" oifname ${own} drop`,
        );
  return `table ip ${CALLER_TABLE} {
  chain forward {
    type filter hook forward priority filter
    ${[`oifname ${callers} ct state established,related accept`, ...apart, `iifname ${callers} accept`, ...closed].join('\n    ')}
  }
  chain postrouting {
    type nat hook postrouting priority srcnat
    iifname ${callers} oifname != ${own} masquerade
  }
}
`;
}

/** The journal is of addresses at devices. */
function entryOf(device: string): { address: string; device: string } {
  return { address: '0.0.0.0', device };
}

/** @returns whether it was off */
async function switchOn(device: string): Promise<boolean> {
  if ((await readSwitch(`conf/${device}/forwarding`)) !== '0') return false;
  await writeSwitch(device, '1');
  return true;
}

/** undefined: the device is gone. */
async function readSwitch(name: string): Promise<string | undefined> {
  try {
    return (await files.textLater(`${SETTINGS}/${name}`)).trim();
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

async function writeSwitch(device: string, value: string): Promise<void> {
  try {
    await files.writeLater(`${SETTINGS}/conf/${device}/forwarding`, value);
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}

function isGone(error: unknown): boolean {
  return errorCode(error) === 'ENOENT';
}
