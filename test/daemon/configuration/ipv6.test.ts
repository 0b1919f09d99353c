/** IPv6 of servers and users: what does not go together. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { files, refusal, warnings } from './parsed.ts';

const server = (name: string, third: number, ...lines: string[]) =>
  `config interface '${name}'\noption proto 'pptpserver'\noption localip '192.168.${third}.1'\noption network '192.168.${third}.0/24'\noption listen 'eth${third}'\noption ipv6 '1'\n${lines.join('\n')}\n`;
const user = (name: string, password: string, ...lines: string[]) =>
  `config user '${name}'\noption username '${name}'\noption password '${password}'\n${lines.join('\n')}\n`;

test('prefixes of servers share no addresses', () => {
  assert.deepEqual(
    refusal({
      network:
        server(
          'home',
          99,
          "list ip6prefix '2001:db8:5::/48'",
          "list ip6prefix '2001:db8:5:100::/56'",
        ) + server('lab', 98, "list ip6prefix '2001:db8:5:fe::/64'"),
    }),
    [
      "error: network, section 'home', option 'ip6prefix', value '2001:db8:5:100::/56': shares addresses with another one of this server",
      "error: network, section 'lab', option 'ip6prefix', value '2001:db8:5:fe::/64': shares addresses with server 'home'",
    ],
  );
  assert.deepEqual(
    warnings({
      network:
        server('home', 99, "list ip6prefix '2001:db8:5::/56'") +
        server('lab', 98, "list ip6prefix '2001:db8:5:100::/56'"),
    }),
    [],
  );
});

test('without IPv6 a prefix and its DNS servers are of no effect, and that is said', () => {
  assert.deepEqual(
    warnings(files('server', "list ip6prefix '2001:db8:5::/56'\nlist ip6dns '2001:db8::53'")),
    [
      "warning: network, section 'home', option 'ip6prefix', value '2001:db8:5::/56': is of no effect without ipv6 '1'",
      "warning: network, section 'home', option 'ip6dns', value '2001:db8::53': is of no effect without ipv6 '1'",
    ],
  );
});

test('networks of users are nobody else’s, and not the router’s own', () => {
  assert.deepEqual(
    refusal({
      network: server('home', 99, "list ip6prefix '2001:db8:5::/56'"),
      pptp_users:
        user('anna', 'a', "option ip6prefix '2001:db8:5::/64'", "list ip6route '2001:db8:6::/60'") +
        user('bert', 'b', "option ip6prefix '2001:db8:6:f::/64'") +
        user('carl', 'c', "list ip6route '2001:db8:7::/56'", "list ip6route '2001:db8:7:1::/64'"),
    }),
    [
      "error: pptp_users, section 'anna', option 'ip6prefix', value '2001:db8:5::/64': the first /64 of server 'home' is the router's own",
      "error: pptp_users, section 'bert', option 'ip6prefix', value '2001:db8:6:f::/64': shares addresses with user section 'anna'",
      "error: pptp_users, section 'carl', option 'ip6route', value '2001:db8:7:1::/64': shares addresses with another one of this user",
    ],
  );
});
