/** The system's ubus, as far as netifd and procd are spoken to, and what its errors mean here. */
import { UbusError, type UbusClient } from '../../ubus-js/index.ts';

export type Bus = Pick<UbusClient, 'call' | 'lookup' | 'listen' | 'subscribe' | 'connected'>;

/** Answers of netifd and procd take milliseconds; a program that is stopped must not hold us up. */
export const CALL = { timeout: 10_000 } as const;

/** Whether the object's owner is away (being restarted), rather than that it refused. */
export async function isAway(bus: Bus, path: string, error: unknown): Promise<boolean> {
  if (!(error instanceof UbusError)) return false;
  if (error.status === 'CONNECTION_FAILED' || error.status === 'TIMEOUT') return true;
  if (error.status !== 'NOT_FOUND') return false;
  const found = await bus.lookup(path, CALL).catch(() => []);
  return found.length === 0;
}
