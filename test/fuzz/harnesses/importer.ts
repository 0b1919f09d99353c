/**
 * pptpd's files, whatever stands in them: what is imported is a configuration of ours with the server switched off, what stood
 * in our files stays, a second time nothing happens, and no warning has a secret in it.
 */
import assert from 'node:assert/strict';
import { importPptpd } from '../../../src/daemon/import/pptpd.ts';
import { pppdWords } from '../../../src/daemon/import/pppd-words.ts';
import { parsePppdOptions } from '../../../src/daemon/configuration/pppd-options.ts';
import { parseUci } from '../../../src/router/uci.ts';
import { harness } from '../harness.ts';
import type { Random } from '../random.ts';
import { examples, isMisplaced, SECRET, uciWords } from '../uci-texts.ts';

const pptpd = `config service 'pptpd'
	option enabled '1'
	option localip '192.168.0.1'
	option remoteip '192.168.0.20-30,192.168.0.44'
	list mppe 'required,no40'
config login
	option username 'anna'
	option password '${SECRET} 1'
config login
	option username 'bert'
	option password '"${SECRET} 2"'
	option remoteip '192.168.0.77'
`;
const options = `# /etc/ppp/options.pptpd
lock
name "pptp-server"
172.16.1.1:
ms-dns 192.168.0.1
require-mschap-v2
mppe required,no40,no56,stateless
mtu 1482
lcp-echo-failure 3
lcp-echo-interval 60
`;
const secrets = `#USERNAME  PROVIDER  PASSWORD  IPADDRESS
youruser	pptp-server	yourpass	*
anna pptp-server "${SECRET} 3" 192.168.0.55
carl pptp-server ${SECRET}\\ 4 *
dora * '${SECRET} 5' -
`;
const conf = `option /etc/ppp/options.pptpd
localip 192.168.0.1
remoteip 192.168.0.20-30,192.168.0.44
connections 20
`;
const words = [
  ...uciWords, '*', '!', '@/etc/ppp/more', '\\s', '\\x41', '\\101', '192.168.0.', '234-238', ',', '300', '-', ' mppe ', 'nomppe', 'require-mppe-128',
  'ms-dns', 'mtu', '99999', 'plugin', 'file', 'chap-secrets', 'localip', "config login\n", '0-255', '10.0.0.1-10.255.255.254',
]; // prettier-ignore

const maybe = (random: Random, text: string): string =>
  random.chance(4) ? text : random.damagedText(text, words);

/** Texts as the files of the importer are read: octets, one character each. */
function asOctets<T extends Readonly<Record<string, string>>>(texts: T): T {
  const entries = Object.entries(texts);
  return Object.fromEntries(
    entries.map(([name, text]) => [name, Buffer.from(text, 'utf8').toString('latin1')]),
  ) as T;
}

/** Whether a secret stands where pppd reads a client, a server or an address: then it may be shown, as those are. */
function isMisplacedForPppd(chapSecrets: string): boolean {
  let nth = 0;
  return pppdWords(chapSecrets).some(({ text, first }) => {
    nth = first ? 1 : nth + 1;
    return nth !== 3 && text.includes(SECRET);
  });
}

export const importer = harness({
  name: 'importer',
  slow: true,
  generate: (random) => ({
    files: {
      pptpd: maybe(random, pptpd),
      options: maybe(random, options),
      chapSecrets: maybe(random, secrets),
      conf: maybe(random, conf),
    },
    before: random.chance(2)
      ? { network: '', pptp: '', pptp_users: '' }
      : { ...examples, network: random.damagedText(examples.network, words) },
    words: random.list(8, () => random.word(words)),
  }),
  run({ files: given, before: ours, words: pppd }) {
    const [texts0, before] = [asOctets(given), asOctets(ours)];
    const paths: Readonly<Record<string, string>> = {
      '/etc/pptpd.conf': texts0.conf,
      '/etc/ppp/options.pptpd': texts0.options,
      '/etc/ppp/chap-secrets': texts0.chapSecrets,
    };
    const files = {
      pptpd: texts0.pptpd,
      read: (path: string) => (Object.hasOwn(paths, path) ? paths[path] : undefined),
      hostname: 'router',
      networks: [],
    };
    parsePppdOptions(pppd);
    const found = importPptpd(files, before);
    if (
      !isMisplaced(files.pptpd) &&
      !isMisplacedForPppd(texts0.chapSecrets) &&
      !Object.values(before).some(isMisplaced)
    )
      for (const warning of found.warnings)
        assert.ok(!warning.includes(SECRET), `a secret in a warning: ${warning}`);
    if (found.server === undefined) return;
    const { server, texts } = found;
    for (const file of ['network', 'pptp_users'] as const)
      assert.ok(texts[file].startsWith(before[file]));
    // An open quote in the text before takes in what comes after it: that was so, and is told.
    if (parseUci('network', before.network).faults.length > 0) return;
    const section = parseUci('network', texts.network).sections.find(({ name }) => name === server);
    assert.equal(section?.values.get('disabled')?.values.at(-1), '1');
    assert.equal(parseUci('network', texts.network).faults.length, 0);
    const users =
      parseUci('pptp_users', texts.pptp_users).sections.length -
      parseUci('pptp_users', before.pptp_users).sections.length;
    assert.equal(users, found.users);
    const again = importPptpd(files, texts);
    assert.equal(again.server, undefined);
    assert.equal(again.texts, texts);
  },
});
