/**
 * A real DHCP client (Debian's dhcpcd) asks on a link by DHCPINFORM, as Windows does when it has connected.
 *
 *     far 198.18.1.2 ---- 198.18.1.1 server
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Lab } from '../../tools/lab.ts';

const lab = new Lab('inform');
after(() => lab.close());

test('dhcpcd --inform gets routes, name servers and domains of the server, and those of the user', async () => {
  const [near, far] = [lab.namespace('server'), lab.namespace('far')];
  lab.join('outer', [
    [near, '198.18.1.1/30'],
    [far, '198.18.1.2/30'],
  ]);
  const files = (ofUser: string) => ({
    network: `config interface 'home'
	option proto 'pptpserver'
	option localip '192.168.99.1'
	option network '192.168.99.0/24'
	list client_dns '192.168.1.53'
	list client_route '10.20.0.0/16'
	list client_route '192.168.1.0/24'
	list domain 'office.lan'
	list domain 'example.com'
`,
    pptp_users: `config user\n\toption username 'anna'\n\toption password 'secret word'\n${ofUser}`,
  });
  const home = await lab.gateway('server', near, files(''));
  const link = await lab.gateway('far', far, {
    network: `config interface 'link'
	option proto 'pptpgw'
	option server '198.18.1.1'
	option username 'anna'
	option password 'secret word'
	option defaultroute '0'
`,
  });
  const wanted = join(lab.dir, 'dhcpcd.conf');
  writeFileSync(
    wanted,
    'option subnet_mask, domain_name_servers, domain_name, domain_search, classless_static_routes, ms_classless_static_routes\n',
  );
  const ask = async () => {
    const words = ['--inform', '--test', '--ipv4only', '--config', wanted, 'pptp-link'];
    const { code, output } = await lab.run(far, 'dhcpcd', '--timeout', '60', ...words);
    assert.equal(code, 0, output);
    const told = [...output.matchAll(/^new_(\w+)='(.*)'$/gm)];
    return Object.fromEntries(told.map(([, name, value]) => [name!, value!]));
  };

  assert.equal((await link.command('dial', 'link')).code, 0);
  const routes = '10.20.0.0/16 192.168.99.1 192.168.1.0/24 192.168.99.1';
  const first = await ask();
  const address = first['ip_address'];
  assert.match(address!, /^192\.168\.99\.\d+$/);
  const expected = {
    dhcp_message_type: '5',
    dhcp_server_identifier: '192.168.99.1',
    subnet_mask: '255.255.255.0',
    domain_name_servers: '192.168.1.53',
    domain_name: 'office.lan',
    domain_search: 'office.lan example.com',
    classless_static_routes: routes,
    ms_classless_static_routes: routes,
  };
  assert.deepEqual({ ...first, ...expected }, first);
  assert.equal(first['dhcp_lease_time'], undefined);

  home.configure(files("\tlist client_route '10.30.0.0/16'\n\toption domain 'lab.lan'\n"));
  assert.equal((await home.command('reload')).code, 0);
  const [{ id }] = await home.json<[{ id: number }]>('sessions');
  assert.equal(
    (await ask())['domain_name'],
    'office.lan',
    'the session that is up stays as it was',
  );
  assert.equal((await home.json<[{ id: number }]>('sessions'))[0].id, id);
  assert.equal((await link.command('hangup', 'link')).code, 0);
  assert.equal((await link.command('dial', 'link')).code, 0);
  const second = await ask();
  assert.equal(second['classless_static_routes'], '10.30.0.0/16 192.168.99.1');
  assert.equal(second['domain_search'], 'lab.lan');
});
