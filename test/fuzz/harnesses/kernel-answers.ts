/** What the kernel and netifd answer and list: any octets, text and table are read, as little as they may say. */
import assert from 'node:assert/strict';
import { parseTracked } from '../../../src/router/conntrack.ts';
import {
  changeElements,
  encodeChanges,
  readCounters,
  type Element,
} from '../../../src/router/nft-elements.ts';
import { RouterError } from '../../../src/router/router.ts';
import { parseDump } from '../../../src/router/netifd/interface-status.ts';
import { parseRoutes, wayTo } from '../../../src/router/route-table.ts';
import { decodeTable } from '../../../src/ubus-js/blobmsg.ts';
import { UbusError } from '../../../src/ubus-js/status.ts';
import { harness } from '../harness.ts';
import { interfaceDump } from '../ubus-messages.ts';
import { joined, type Random } from '../random.ts';

const lines = `ipv4     2 tcp      6 431996 ESTABLISHED src=192.168.1.2 dst=203.0.113.9 sport=40000 dport=1723 packets=9 bytes=900 src=203.0.113.9 dst=198.51.100.1 sport=1723 dport=40000 packets=7 bytes=700 [ASSURED] mark=0 use=2
ipv4     2 gre      47 17998 timeout=600, stream_timeout=18000 src=192.168.1.2 dst=203.0.113.9 srckey=0x1 dstkey=0x80 packets=5 bytes=500 src=203.0.113.9 dst=198.51.100.1 srckey=0x80 dstkey=0x9c40 packets=5 bytes=500 [ASSURED] mark=0 use=2
`;
const routes = `Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t0102A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0
eth0\t0002A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0
`;
const routeWords = [
  '\t',
  ' ',
  '\n',
  'FFFFFFFF',
  '0001',
  '0203',
  '-1',
  'zz',
  'eth1',
  '__proto__',
  '1e9',
];
const words = [
  'src=',
  'dst=',
  'srckey=0x',
  'dstkey=',
  'tcp 6',
  'gre 47',
  'packets=',
  'bytes=-1',
  '\n',
  ' ',
  'ESTABLISHED',
  '999.1.1.1',
  '__proto__=1',
  '=',
];

/** nlmsghdr, nfgenmsg and attributes with lengths that are mostly right. */
function answer(random: Random): Uint8Array {
  const attribute = (depth: number): Uint8Array => {
    const payload =
      depth > 0 && !random.chance(4)
        ? joined(...random.list(3, () => attribute(depth - 1)))
        : random.anyOctets(12);
    const octets = new Uint8Array((4 + payload.length + 3) & ~3);
    const view = new DataView(octets.buffer);
    view.setUint16(0, random.chance(8) ? random.edgy(0x10000) : 4 + payload.length, true);
    view.setUint16(2, random.below(9) | (random.chance(2) ? 0x8000 : 0), true);
    octets.set(payload, 4);
    return octets;
  };
  const message = (): Uint8Array => {
    const body = joined(random.octets(4), ...random.list(3, () => attribute(5)));
    const octets = joined(new Uint8Array(16), body);
    const view = new DataView(octets.buffer);
    view.setUint32(0, random.chance(10) ? random.edgy(0x1_0000_0000) : octets.length, true);
    view.setUint16(4, random.pick([2, 3, 0xa0c, 0xa0d, random.below(0x10000)]), true);
    view.setUint32(8, random.below(4), true);
    return octets;
  };
  const all = joined(...random.list(4, message));
  return random.chance(3) ? random.damaged(all) : all;
}

export const kernelAnswers = harness({
  name: 'kernel-answers',
  generate: (random) => ({
    answer: answer(random),
    keys: random.list(3, () => random.octets(8)),
    text: random.damagedText(lines, words),
    routes: random.damagedText(routes, routeWords),
    dump: interfaceDump(random),
  }),
  run({ answer: octets, keys, text, routes: table, dump }) {
    const elements = keys.map((key): Element => ({ set: 'calls', key }));
    const counts = readCounters(() => octets, 'table', elements);
    assert.equal(counts.length, elements.length);
    for (const { packets, octets: counted } of counts) assert.ok(packets >= 0 && counted >= 0);
    const changes = elements.map((element) => ({ what: 'add' as const, element }));
    try {
      changeElements(() => octets, 'table', changes);
    } catch (error) {
      assert.ok(error instanceof RouterError);
    }
    // Our own requests are whole messages one behind the other.
    const request = encodeChanges('table', changes);
    const view = new DataView(request.buffer);
    let at = 0;
    while (at < request.length) at += view.getUint32(at, true);
    assert.equal(at, request.length);

    const { connections, calls } = parseTracked(text);
    const count = text.split('\n').length;
    assert.ok(connections.length + calls.length <= count);
    for (const { traffic } of calls)
      if (traffic !== undefined) assert.ok(!Number.isNaN(traffic.rxPackets));

    const ways = parseRoutes(table);
    assert.ok(ways.length < table.split('\n').length);
    for (const { prefix, device } of ways) {
      assert.ok(prefix.length >= 0 && prefix.length <= 32 && device !== '');
      assert.notEqual(wayTo(prefix.address, ways), undefined);
    }
    const said = decodeTable(dump);
    if (said instanceof UbusError) return;
    for (const { name, addresses, defaultRoutes } of parseDump(said)) {
      assert.equal(typeof name, 'string');
      for (const { length } of addresses)
        assert.ok(Number.isInteger(length) && length >= 0 && length <= 32);
      for (const { metric } of defaultRoutes) assert.ok(!Number.isNaN(metric));
    }
  },
});
