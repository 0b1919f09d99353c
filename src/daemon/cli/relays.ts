/** Passthrough in the answer of `status`, for people. */
import type { RelayCallDocument, RelayDocument } from '../reports/documents.ts';
import { duration, octets, titled } from './tables.ts';

/** Tables of the relays and their calls. */
export function relaysText(relays: readonly RelayDocument[], most: number): string[] {
  if (relays.length === 0) return [];
  const parts = [
    titled(
      ['RELAY', 'DIRECTION', 'FROM', 'TO', 'BACKEND', 'CLIENTS', 'CONNECTIONS', 'CALLS', ''],
      relays.map(relayRow),
    ),
  ];
  const calls = relays.flatMap(({ name, calls: own }) => own.map((call) => callRow(name, call)));
  if (calls.length > 0)
    parts.push(
      titled(
        ['ID', 'VIA', 'CLIENT', 'SERVER', 'CALL IDS', 'SINCE', 'RX', 'TX'],
        calls.slice(0, most),
      ),
    );
  if (calls.length > most)
    parts.push(`… and ${calls.length - most} calls more: pptp-gateway status --all`);
  return parts;
}

function relayRow(relay: RelayDocument): string[] {
  const { name, direction, src, dest, dest_ip: server, backend, state, cause, reason } = relay;
  return [
    name,
    direction,
    src,
    server === undefined ? dest : `${dest} ${server}`,
    state === 'up' ? backend : 'none',
    String(relay.clients),
    String(relay.connections),
    String(relay.calls.length),
    cause === undefined ? reason : `${cause.code}: ${cause.text}`,
  ];
}

function callRow(relay: string, call: RelayCallDocument): string[] {
  const amount = (count: number | undefined) => (count === undefined ? '?' : octets(count));
  return [
    String(call.id),
    relay,
    call.client,
    call.server,
    `${call.client_callid} ${call.server_callid}`,
    duration(Math.max(0, Date.now() / 1000 - call.since)),
    amount(call.rx_bytes),
    amount(call.tx_bytes),
  ];
}
