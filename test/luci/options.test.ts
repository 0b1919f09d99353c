/** The pages offer exactly the options of the option table, with its choices and defaults. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  globalOptions,
  linkOptions,
  serverOptions,
  userOptions,
} from '../../src/daemon/configuration/options.ts';
import { nasOptions, radiusOptions } from '../../src/daemon/configuration/radius-options.ts';
import type { OptionTable } from '../../src/daemon/configuration/option-table.ts';
import { luci, recorder, type Offered } from './luci.ts';

/** Fields whose name begins with _ belong to the page, not to the file. */
const stored = (offered: readonly Offered[]) => offered.filter(({ name }) => !name.startsWith('_'));

function compare(offered: readonly Offered[], table: OptionTable, apart: readonly string[]): void {
  const fields = new Map(stored(offered).map((field) => [field.ucioption ?? field.name, field]));
  assert.equal(fields.size, stored(offered).length, 'an option is offered twice');
  assert.deepEqual(
    [...fields.keys()].sort(),
    Object.keys(table)
      .filter((name) => !apart.includes(name))
      .sort(),
  );
  for (const [name, { type, presence, default: value }] of Object.entries(table)) {
    const field = fields.get(name);
    if (field === undefined) continue;
    const words = type.allowed.split(' | ');
    const isInOrder = field.kind === 'ListValue' && presence === 'list';
    if (isInOrder) assert.deepEqual([...field.choices].sort(), orders(words).sort(), name);
    else if (words.length > 1)
      assert.deepEqual(field.choices.filter((word) => word !== '').sort(), [...words].sort(), name);
    if (presence === 'list' && !isInOrder)
      assert.ok(['DynamicList', 'MultiValue'].includes(field.kind), `${name} is a list`);
    if (presence === 'defaulted' && name !== 'keepalive')
      assert.equal(field.default ?? field.placeholder, value, `default of ${name}`);
    if (
      field.kind === 'MultiValue' &&
      field.choices.length > 0 &&
      value !== undefined &&
      value.length > 0
    )
      assert.deepEqual(field.default, value, `default of ${name}`);
    const limits = /^a whole number from (\d+) to (\d+).*?(, or 0)?$/.exec(type.allowed);
    if (limits !== null && field.datatype !== 'port')
      assert.equal(field.datatype, datatype(limits), `limits of ${name}`);
  }
}

function datatype([, low, high, orNever]: readonly (string | undefined)[]): string {
  const range = `range(${low!},${high!})`;
  return `and(uinteger,${orNever === undefined ? range : `or(${range},range(0,0))`})`;
}

/** One of two words, or both in either order. */
function orders([one = '', other = '']: readonly string[]): string[] {
  return [one, other, `${one} ${other}`, `${other} ${one}`];
}

/** proto is chosen with LuCI's list of protocols. */
const byLuci = ['proto'];
/** Of plain Linux: on a router the firewall's zones do it. */
const elsewhere = ['masquerade'];
/** Notes that the program makes for itself. */
const byProgram = ['imported'];

describe('offered and in the option table', () => {
  test('a server', () => {
    const { form, section, sections } = recorder();
    const fields = luci({ form }).module('pptp-gateway.fields');
    const one = section();
    fields.server(one);
    fields.switches(one, 'server');
    compare(sections[0]!.offered, serverOptions, [...byLuci, ...elsewhere]);
  });

  test('a link', () => {
    const { form, section, sections } = recorder();
    const fields = luci({ form }).module('pptp-gateway.fields');
    const one = section();
    fields.link(one);
    fields.switches(one, 'link');
    compare(sections[0]!.offered, linkOptions, byLuci);
  });

  test('users', () => {
    const { form, section, sections } = recorder();
    luci({ form }).module('view.pptp-gateway.users').addOptions(section());
    compare(sections[0]!.offered, userOptions, []);
  });

  test('RADIUS servers, and this router as they see it', () => {
    const { form, sections } = recorder();
    luci({ form }).module('view.pptp-gateway.radius').form();
    const [servers, nas] = sections;
    compare(servers!.offered, radiusOptions, []);
    compare(nas!.offered, nasOptions, []);
  });

  test('users in a file', () => {
    const { options } = luci().module('pptp-gateway.user-list');
    assert.deepEqual([...options].sort(), Object.keys(userOptions).sort());
  });

  test('passthrough', async (context) => {
    const tables = (await import('../../src/daemon/configuration/options.ts')) as Record<
      string,
      unknown
    >;
    if (tables['relayOptions'] === undefined) {
      context.skip('the daemon has no relays yet');
      return;
    }
    const { form, sections } = recorder();
    luci({ form }).module('view.pptp-gateway.passthrough').form([]);
    compare(sections[0]!.offered, tables['relayOptions'] as OptionTable, []);
  });

  test('globals', async () => {
    const { form, sections } = recorder();
    const router = luci({ form });
    Object.assign(router.answers, { 'session.access': { access: true } });
    const view = router.module('view.pptp-gateway.service');
    await view.render(await view.load());
    compare(sections[0]!.offered, globalOptions, byProgram);
  });

  test('a server on its page', async () => {
    const { form, sections } = recorder();
    const router = luci({ form });
    router.uci['network'] = { vpn: { '.type': 'interface', '.name': 'vpn', proto: 'pptpserver' } };
    await router.module('view.pptp-gateway.server').render([[], null]);
    const offered = (wanted: string) => sections.find(({ name }) => name === wanted)!.offered;
    compare(offered('vpn'), serverOptions, [...byLuci, ...elsewhere]);
  });
});
