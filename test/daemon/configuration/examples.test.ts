/** The files in examples/ are a configuration as they stand, and with every commented option in force. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parseConfiguration, uciFiles } from '../../../src/daemon/configuration/configuration.ts';
import {
  globalOptions,
  linkOptions,
  relayOptions,
  serverOptions,
  userOptions,
} from '../../../src/daemon/configuration/options.ts';
import { nasOptions, radiusOptions } from '../../../src/daemon/configuration/radius-options.ts';
import { parseUci } from '../../../src/router/uci.ts';

const read = (file: string) =>
  readFileSync(new URL(`../../../examples/${file}`, import.meta.url), 'utf8');
const uncommented = (file: string) =>
  read(file)
    .replace(/^#\t/gm, '\t')
    .replace(/^\toption disabled '1'\n/m, '');

test('as they stand: a server, no link yet, and nobody who can log in', () => {
  const { servers, links, users, warnings } = parseConfiguration({
    network: read('network'),
    pptp: read('pptp'),
    pptp_users: read('pptp_users'),
    pptp_radius: read('pptp_radius'),
  });
  assert.deepEqual(
    warnings.map(({ message }) => message),
    ['nobody can log in: there is no user in pptp_users who is enabled and may call it'],
  );
  assert.deepEqual(
    servers.map(({ name }) => name),
    ['home'],
  );
  assert.deepEqual(links, []);
  assert.deepEqual(
    users.map(({ enabled }) => enabled),
    [false],
  );
});

test('with every commented option in force', () => {
  const { servers, links, users, relays, radius, warnings } = parseConfiguration({
    network: uncommented('network'),
    pptp: uncommented('pptp'),
    pptp_users: uncommented('pptp_users'),
    pptp_radius: uncommented('pptp_radius'),
  });
  assert.deepEqual(
    warnings.map(({ message }) => message.split(':')[0]),
    ['nobody can log in'],
  );
  assert.deepEqual(
    [servers, links, users, relays, radius].map(({ length }) => length),
    [1, 1, 1, 0, 0],
  );
});

test('with its relays switched on, where the server is not reached from wan', () => {
  const pptp = uncommented('pptp').replaceAll("\toption enabled '0'\n", '');
  assert.deepEqual(
    parseConfiguration({ pptp }).relays.map(({ name }) => name),
    ['branch', 'inside'],
  );
});

test('with its RADIUS server switched on', () => {
  const pptp_radius = uncommented('pptp_radius').replace("\toption enabled '0'\n", '');
  const { radius, warnings } = parseConfiguration({ pptp_radius });
  assert.deepEqual(
    radius.map(({ name, roles }) => [name, ...roles]),
    [['main', 'auth', 'acct']],
  );
  assert.deepEqual(warnings, []);
});

test('what the examples say is the default is the default', () => {
  // Values that are there to show how one is written.
  const shown = new Set(
    'localip network range listen client_dns client_wins client_route domain broadcast_relay allow_from proto server username password defaultroute route interface enabled ipaddr max_sessions expires hours group direction src dest dest_ip secret source ca certificate key tls_name address identifier records'.split(
      ' ',
    ),
  );
  const tables = {
    home: serverOptions,
    office: linkOptions,
    anna: userOptions,
    globals: globalOptions,
    branch: relayOptions,
    inside: relayOptions,
    main: radiusOptions,
    nas: nasOptions,
  };
  for (const file of uciFiles)
    for (const { name, values } of parseUci(file, uncommented(file)).sections) {
      const table = tables[name as keyof typeof tables] as Readonly<
        Record<string, { readonly default?: string | readonly string[] }>
      >;
      for (const [option, given] of values)
        if (!shown.has(option))
          assert.deepEqual(given.values, [table[option]!.default].flat(), `${name} ${option}`);
    }
});
