/** What a daemon answers on its own bus. */
import { ControlClient } from '../../src/daemon/control/client.ts';

/** @param daemon its socket */
export async function call<T>(
  { socket }: { readonly socket: string },
  method: string,
  args: Readonly<Record<string, string | number>> = {},
): Promise<T> {
  const client = await ControlClient.open(socket);
  try {
    return (await client.call(method, args)) as T;
  } finally {
    client.close();
  }
}
