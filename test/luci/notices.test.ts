/** What stands above the content of every page; and what the passthrough page says of what is not in force. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parseConfiguration } from '../../src/daemon/configuration/configuration.ts';
import { problemDocument } from '../../src/daemon/reports/documents.ts';
import { repository, sources } from '../../tools/luci/sources.ts';
import { luci, recorder, type Luci } from './luci.ts';

const { version } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as {
  version: string;
};
const idle = { version, servers: [], links: [], disabled: [], relays: [], problems: [] };
const known = { pptpserver: {}, pptpgw: {} };

async function box(status: object | undefined, protocols: object = known, access = true) {
  const router = luci();
  Object.assign(router.answers, {
    ...(status === undefined ? {} : { 'pptp.status': { ...idle, ...status } }),
    'network.get_proto_handlers': protocols,
    'session.access': { access },
  });
  const [help, node] = (await router.module('pptp-gateway.notices').box('home-vpn')).children;
  const buttons = () => [...node.querySelectorAll('button')].map((each) => each.textContent);
  return { router, help, node, buttons };
}

describe('notices', () => {
  test('the way to help, and nothing else where all is well', async () => {
    const { help, node } = await box({});
    assert.equal(
      help.querySelector('a').getAttribute('href'),
      '/luci-static/resources/pptp-gateway/help/home-vpn.html',
    );
    assert.equal(node.textContent, '');
  });

  test('every page has them', () => {
    for (const { module, text } of sources())
      if (module.startsWith('view.pptp-gateway.'))
        assert.match(text, /notices\.box\('[a-z-]+'\)/, module);
  });

  test('the daemon does not run', async () => {
    const { node } = await box(undefined);
    assert.match(node.textContent, /pptp-gateway is not running/);
  });

  test('the version of the pages is that of the daemon and of the packages', () => {
    assert.equal(luci().module('pptp-gateway.notices').VERSION, version);
    for (const name of ['pptp-gateway', 'luci-app-pptp-gateway']) {
      const makefile = readFileSync(join(repository, 'openwrt', name, 'Makefile'), 'utf8');
      assert.match(makefile, new RegExp(`^PKG_VERSION:=${version}$`, 'm'), name);
    }
  });

  test('a daemon of another version is called that, and can be restarted by who may', async () => {
    const { node, buttons } = await box({ version: '0.0.9', problems: undefined });
    assert.match(node.textContent, /still runs as version 0\.0\.9, but version \S+ is installed/);
    assert.deepEqual(buttons(), ['Restart the service']);
    assert.deepEqual((await box({ version: '0.0.9' }, known, false)).buttons(), []);
  });

  test('protocols that netifd has not read yet', async () => {
    const { node, buttons, router } = await box({}, { dhcp: {} });
    assert.match(node.textContent, /Networking has to restart once/);
    assert.deepEqual(buttons(), ['Restart networking']);
    router.answers['network.get_proto_handlers'] = known; // it was restarted
    for (const poll of router.polls) await poll();
    assert.equal(node.textContent, '');
  });

  test('what is not in force, whose it is, and what is in its place', async () => {
    const error = { severity: 'error', message: 'is required: expected x' };
    const { node } = await box({
      config: 'partial',
      problems: [
        {
          ...error,
          file: 'network',
          section: 'home',
          option: 'localip',
          kind: 'server',
          kept: true,
        },
        { ...error, file: 'pptp_users', section: '@user[3]', username: 'anna', kept: false },
        { ...error, file: 'pptp', section: 'dmz', option: 'src', kept: false },
        { ...error, file: 'pptp_radius', section: 'main', option: 'secret', kept: false },
        { severity: 'error', file: 'pptp_users line 7', message: 'odd', kept: true },
        { severity: 'warning', file: 'pptp_users', section: 'b', username: 'b', message: 'hm' },
      ],
    });
    const lines = [...node.querySelectorAll('li')].map((each) => each.textContent);
    assert.deepEqual(lines, [
      'Server home: Own address: a value is missing. What was in force before still is.',
      'User anna: a value is missing. It is left out until this is mended.',
      'Passthrough dmz: From: a value is missing. It is left out until this is mended.',
      'RADIUS main: Secret: a value is missing. It is left out until this is mended.',
      'File pptp_users line 7: odd. What was in force before still is.',
      'User b: hm.',
    ]);
  });
});

test('what the daemon says of two sections that do not go together is said in words of the pages', () => {
  const { reason } = luci().module('pptp-gateway.faults');
  const server = (name: string, more = '') =>
    `config interface '${name}'\noption proto 'pptpserver'\noption localip '192.168.99.1'\noption network '192.168.99.0/24'\n${more}\n`;
  const user = (name: string, more: string) =>
    `config user '${name}'\noption username '${name === 'two' ? 'one' : name}'\noption password 'x'\n${more}\n`;
  const relay = (name: string) =>
    `config relay '${name}'\noption direction inbound\nlist src wan\nlist dest lan\noption dest_ip 192.168.1.2\n`;
  const link = (name: string) =>
    `config interface '${name}'\noption proto 'pptpgw'\noption server 'x'\noption username 'x'\noption password 'x'\noption pppname 'same'\n`;
  const texts = {
    network:
      server('a') +
      server('b') +
      server('c', "list listen 'wan'\noption port '1724'\nlist accounts 'radius'") +
      link('d') +
      link('e'),
    pptp_users:
      user('one', "option ipaddr '192.168.99.9'") +
      user('two', "option ipaddr '192.168.99.9'\nlist server 'nowhere'") +
      user('three', "option ipaddr '192.168.99.1'"),
    pptp: relay('r') + relay('s'),
    pptp_radius: [
      "option server '192.0.2.1'",
      "option server 'x'\noption secret 'x'\noption ca '/x'\noption coa '1'",
      "option server 'x'\noption transport 'tls'\noption key '/x'",
    ]
      .map((lines, index) => `config radius 'r${index}'\n${lines}\n`)
      .join(''),
  };
  const before = parseConfiguration({ pptp: texts.pptp }, { leaveOut: true });
  for (const configuration of [
    parseConfiguration(texts, { leaveOut: true }),
    parseConfiguration(texts, { leaveOut: true, before }),
  ]) {
    const { faults, warnings } = configuration;
    assert.ok(faults.length > 5);
    for (const { message } of [...faults, ...warnings].map(problemDocument))
      assert.notEqual(reason(message), message);
  }
});

test('the overview has a row for what has faults and does not run', async () => {
  const router = luci();
  const problem = {
    severity: 'error',
    file: 'network',
    section: 'home',
    kind: 'server',
    message: 'is required: expected x',
    kept: false,
  };
  Object.assign(router.answers, {
    'pptp.status': { ...idle, config: 'partial', problems: [problem, problem] },
    'pptp.sessions': { sessions: [] },
    'pptp.failures': { failures: [] },
    'network.get_proto_handlers': known,
    'session.access': { access: true },
  });
  const view = router.module('view.pptp-gateway.overview');
  const node = await view.render(await view.load());
  const rows = [...node.querySelector('table').querySelectorAll('tr')].map((row: any) =>
    [...row.children].map((cell) => cell.textContent).join(' | '),
  );
  assert.equal(rows.length, 2);
  assert.match(rows[1]!, /^home \| Server \| .*does not work \| a value is missing$/);
});

test('a server or link whose protocol netifd does not know is not said to be taken down', () => {
  const { reason } = luci().module('pptp-gateway.words');
  const cause = { code: 'INTERFACE_DOWN' };
  const words = luci().module('pptp-gateway.words');
  assert.match(
    reason.call(words, { state: 'waiting', cause }, true),
    /Networking does not know PPTP yet/,
  );
  assert.match(reason.call(words, { state: 'waiting', cause }), /was taken down/);
  assert.equal(reason.call(words, { state: 'up' }, true), '');
});

describe('passthrough', () => {
  function page(): { router: Luci; sections: ReturnType<typeof recorder>['sections'] } {
    const { form, sections } = recorder();
    const router = luci({ form });
    Object.assign(router.answers, {
      'pptp.status': {
        ...idle,
        problems: [
          {
            severity: 'error',
            file: 'pptp',
            section: 'dmz',
            option: 'src',
            message: "server 'home' takes calls from everywhere, also from there: give it …",
            kept: false,
          },
        ],
      },
      'network.interface.dump': { interface: [] },
      'network.get_proto_handlers': known,
      'session.access': { access: true },
    });
    return { router, sections };
  }
  const relay = (name: string, more: object) => ({ '.type': 'relay', '.name': name, ...more });

  test('one that is saved and not in force is shown, with the reason', async () => {
    const { router } = page();
    router.uci['pptp'] = {
      dmz: relay('dmz', { direction: 'inbound', src: ['wan'], dest: ['lan'] }),
      new: relay('new', { src: ['lan'], dest: ['wan'] }),
      off: relay('off', { enabled: '0' }),
    };
    const view = router.module('view.pptp-gateway.passthrough');
    const node = await view.render(await view.load());
    const rows = [...node.querySelector('table').querySelectorAll('tr')].map((row) =>
      [...row.children].map((cell) => cell.textContent).join(' | '),
    );
    assert.match(
      rows[1]!,
      /^dmz \| .*\(wan → lan\) \| . not in force \| the server home takes calls/,
    );
    assert.match(rows[2]!, /^new \| .*\(lan → wan\) \| . not in force \| Save & Apply makes/);
    assert.match(rows[3]!, /^off \| .* \| . disabled \| {2}\|/);
    assert.equal(rows.length, 4);
    assert.doesNotMatch(node.textContent, /No passthrough is configured/);
  });

  test('From and To change sides with the direction', () => {
    const { router, sections } = page();
    router.module('view.pptp-gateway.passthrough').form([]);
    const direction: any = sections[0]!.offered.find(({ name }) => name === 'direction');
    const values: Record<string, string[]> = { src: ['lan', 'guest'], dest: ['wan'] };
    direction.map = {
      lookupOption: (name: string) => [
        {
          getUIElement: () => ({
            getValue: () => values[name],
            setValue: (value: string[]) => (values[name] = value),
          }),
        },
      ],
    };
    direction.onchange(null, 'dmz', 'inbound');
    assert.deepEqual(values, { src: ['wan'], dest: ['lan', 'guest'] });
  });
});
