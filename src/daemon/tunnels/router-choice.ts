/** Which router this is: OpenWrt's netifd has the network's interfaces, or we set them up with iproute2. */
import { errorCode } from '../../platform/errors.ts';
import { files } from '../../platform/platform.ts';
import { UbusClient, UbusError } from '../../ubus-js/index.ts';

export const routerKinds = ['auto', 'netifd', 'iproute'] as const;
export type RouterKind = (typeof routerKinds)[number];

const PROGRAM = '/sbin/netifd';
const TIMEOUT = 3_000; // ms

/**
 * `auto`: netifd where its program is installed (it may be started after us), or where it is on the bus now.
 * @param bus path of the system's ubus
 */
export async function isNetifd(kind: RouterKind, bus: string, program = PROGRAM): Promise<boolean> {
  if (kind !== 'auto') return kind === 'netifd';
  return files.exists(program) || (files.exists(bus) && (await isOnBus(bus)));
}

async function isOnBus(path: string): Promise<boolean> {
  let client: UbusClient | undefined;
  try {
    client = await UbusClient.connect(path);
    return (await client.lookup('network.interface', { timeout: TIMEOUT })).length > 0;
  } catch (error) {
    if (error instanceof UbusError || errorCode(error) !== undefined) return false; // nobody serves it, or it is of another kind
    throw error;
  } finally {
    client?.close();
  }
}
