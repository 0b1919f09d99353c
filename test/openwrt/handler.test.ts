/** The handlers of netifd, under busybox ash with stand-ins for netifd's library and for ubus. */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { library } from './netifd-library.ts';
import { ShellBench } from './shell-bench.ts';

function bench(context: TestContext): ShellBench {
  const made = new ShellBench(context);
  made.write('lib/functions.sh', '');
  made.write('lib/netifd/netifd-proto.sh', library);
  return made;
}
const handler = (words: string) => `cd /lib/netifd/proto && ./pptp-gateway.sh ${words}`;

test('three protocols with their flags and no declared option; pptp only without the stock client', (t) => {
  const made = bench(t);
  const flags = '1 1 1 1 1';
  const dump = () => made.ash(handler("'' dump"));
  assert.deepEqual(dump(), {
    code: 0,
    stdout: `pptpgw ${flags}\npptpserver ${flags}\npptp ${flags}\n`,
    stderr: '',
  });
  for (const version of ['2.4.9', '2.5.1']) {
    made.write(`usr/lib/pppd/${version}/pptp.so`, '');
    assert.equal(dump().stdout, `pptpgw ${flags}\npptpserver ${flags}\n`);
  }
  rmSync(join(made.root, 'usr/lib/pppd'), { recursive: true });
  made.write('usr/lib/pppd/2.5.1/pppoe.so', '');
  assert.match(dump().stdout, /^pptp /m);
});

test('setup and teardown call the daemon, for every protocol', (t) => {
  const made = bench(t);
  made.recorded('ubus');
  for (const name of ['pptpgw', 'pptpserver', 'pptp'])
    for (const verb of ['setup', 'teardown']) {
      assert.deepEqual(made.ash(handler(`${name} ${verb} office '{"password":"geheim"}'`)), {
        code: 0,
        stdout: '',
        stderr: '',
      });
      assert.deepEqual(made.calls(), [`ubus -t 4 call pptp link_${verb} {"interface":"office"}`]);
    }
});

test('without the daemon setup says so and returns; teardown has nothing to do', (t) => {
  const made = bench(t);
  made.recorded('ubus', 'exit 4');
  assert.equal(made.ash(handler("pptpgw setup office '{}'")).code, 0);
  assert.deepEqual(made.calls(), [
    'ubus -t 4 call pptp link_setup {"interface":"office"}',
    'ubus list pptp',
    'error office SERVICE_NOT_RUNNING',
  ]);
  assert.equal(made.ash(handler("pptpgw teardown office '{}'")).code, 0);
  assert.deepEqual(made.calls(), ['ubus -t 4 call pptp link_teardown {"interface":"office"}']);
});

test('a daemon that refuses has told netifd why itself', (t) => {
  const made = bench(t);
  made.recorded('ubus', '[ "$1" = list ]');
  made.ash(handler("pptpgw setup office '{}'"));
  assert.deepEqual(made.calls(), [
    'ubus -t 4 call pptp link_setup {"interface":"office"}',
    'ubus list pptp',
  ]);
});
