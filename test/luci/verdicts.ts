/**
 * What LuCI's own validators say: `verdicts.json` is recorded from a real LuCI by browser.test.ts, and our stand-in for them
 * (luci.ts) is held to it. For each of our types: what becomes of each of the values below, in their order.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { luci, recorder, type Offered } from './luci.ts';

export interface Verdicts {
  /** 0: refused, 1: taken, 2: taken, but another value stands in its place for whoever is asked next. */
  readonly verdicts: Readonly<Record<string, readonly number[]>>;
  /** Those others, by the value. */
  readonly changed: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export const path = join(import.meta.dirname, 'verdicts.json');

export const recorded = () => JSON.parse(readFileSync(path, 'utf8')) as Verdicts;

/** None is empty: LuCI asks no type about nothing. */
export const values: readonly string[] = [
  ...['0', '1', '5', '59', '60', '576', '1024', '1500', '4096', '65535', '65536', '10000000'],
  ...['-1', '1.5', '1e3', '007', '0x10', ' 5', '5 ', '5x', '99999999999'],
  ...['192.168.1.1', '256.1.1.1', '192.168.1', '192.168.01.1', '192.168.1.1 ', '0.0.0.0'],
  ...['192.168.1.0/24', '192.168.1.1/32', '192.168.1.1/33', '10.0.0.0/0', '10.0.0.0/08'],
  ...['192.168.1.0/255.255.255.0', '1.2.3.4/', '/24'],
  ...['::1', '2001:db8::1', '2001:db8::/32', 'fe80::1%eth0', ':', '::ffff:192.168.1.1'],
  ...['vpn.example.com', 'vpn', '-vpn', 'a..b', 'a b', 'vpn.example.com.', 'b\u00fccher.example'],
  ...['name_1', 'name-1', 'a'.repeat(15), 'a'.repeat(16), '\u00e4'.repeat(8), '\u00e4'.repeat(65)],
  ...['a'.repeat(128), 'a'.repeat(129), 'a'.repeat(255), 'a'.repeat(256), '\ud83d\ude00'],
];

/** The types that our forms name, on every page. */
export function datatypes(): readonly string[] {
  const found = new Set<string>();
  const note = (offered: readonly Offered[]) => {
    for (const { datatype } of offered) if (datatype !== undefined) found.add(datatype);
  };
  for (const fill of [
    (router: ReturnType<typeof luci>, section: unknown) => {
      const fields = router.module('pptp-gateway.fields');
      fields.server(section);
      fields.link(section);
    },
    (router: ReturnType<typeof luci>, section: unknown) =>
      router.module('view.pptp-gateway.users').addOptions(section),
    (router: ReturnType<typeof luci>) => router.module('view.pptp-gateway.radius').form(),
    (router: ReturnType<typeof luci>) => router.module('view.pptp-gateway.passthrough').form([]),
    (router: ReturnType<typeof luci>) =>
      router.module('view.pptp-gateway.service').render([null, null]),
    (router: ReturnType<typeof luci>) => router.module('pptp-gateway.link-forms').add(),
    (router: ReturnType<typeof luci>) => {
      const map = { section: recorderOf(router) };
      router.module('pptp-gateway.server-form').add(map, 'vpn', { isNew: true, used: [] });
    },
  ]) {
    const { form, section, sections } = recorder();
    const router = luci({ form });
    recorders.set(router, section);
    router.uci['network'] = { vpn: { '.type': 'interface', '.name': 'vpn' } };
    fill(router, section());
    for (const { offered } of sections) note(offered);
  }
  return [...found].sort();
}

const recorders = new WeakMap<object, (type?: unknown, name?: string) => unknown>();
const recorderOf = (router: object) => recorders.get(router)!;
