import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  decodeMessage,
  decodeTable,
  encodeMessage,
  Framer,
  MalformedMessage,
  UbusError,
  type Message,
} from '../../src/ubus-js/index.ts';
import { decodeMonitored, encodeMonitored } from '../../src/ubus-js/message.ts';
import { captures, fromHex } from './captures.ts';

for (const { name, hex, message } of captures) {
  test(`${name}: as the real ubusd has it, both ways`, () => {
    assert.deepEqual(decodeMessage(fromHex(hex)), message);
    assert.deepEqual(encodeMessage(message), fromHex(hex));
  });
}

test('V7 says what it says', () => {
  const found = captures.find(({ name }) => name.startsWith('V7'))!;
  assert.deepEqual(decodeTable(found.message.attributes.data!), {
    action: 0,
    'link-up': true,
    ifname: 'tunV',
    ipaddr: [{ ipaddr: '10.91.0.2', mask: '32', ptp: '10.91.0.1' }],
    routes: [{ target: '10.92.0.0', netmask: '16' }],
  });
});

test('messages come out whole, however the stream is cut', () => {
  const all = captures.map(({ hex }) => fromHex(hex));
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(...all), { maxLength: 12 }),
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
      (messages, cuts) => {
        const stream = Buffer.concat(messages);
        const framer = new Framer();
        const found: Uint8Array[] = [];
        for (let at = 0, i = 0; at < stream.length; i++) {
          const end = at + cuts[i % cuts.length]!;
          const whole = framer.push(stream.subarray(at, end));
          assert.ok(!(whole instanceof UbusError));
          found.push(...whole);
          at = end;
        }
        assert.deepEqual(found, messages);
      },
    ),
  );
});

test('a message is 1 MiB at most; a root attribute has its own header at least', () => {
  const header = (root: number) =>
    Uint8Array.from([0, 4, 0, 1, 0, 0, 0, 0, 0, root >>> 16, (root >>> 8) & 255, root & 255]);
  assert.deepEqual(new Framer().push(header(1 << 20)), []);
  for (const root of [0, 3, (1 << 20) + 1, 0xffffff])
    assert.ok(new Framer().push(header(root)) instanceof UbusError, String(root));
  assert.ok(new Framer(64).push(header(65)) instanceof UbusError);
});

test('what is longer than a message may be is not encoded', () => {
  const huge: Message = {
    type: 'INVOKE',
    seq: 1,
    peer: 1,
    attributes: { data: new Uint8Array(1 << 20) },
  };
  assert.throws(() => encodeMessage(huge), { name: 'UbusError', status: 'NO_MEMORY' });
  const most = { ...huge, attributes: { data: new Uint8Array((1 << 20) - 8) } };
  assert.equal(encodeMessage(most).length, 8 + (1 << 20));
});

const malformed: Readonly<Record<string, string>> = {
  'an unknown type': '000c0001 00000000 00000004',
  'text without a NUL': '00040001 00000000 00000010 0200000b 6e6f7375 63686800',
  'an empty text': '00040001 00000000 00000008 02000004',
  'an integer of 16 bits': '00010001 00000000 0000000c 01000006 00040000',
  'a length past the end': '00040001 00000000 00000010 0200000d 6e6f7375 63680000',
  'a length below its header': '00040001 00000000 00000010 02000003 6e6f7375 63680000',
  'no padding': '00040001 00000000 0000000f 0200000b 6e6f7375 636800',
  'half an attribute': '00040001 00000000 00000006 0200',
  'a wrong list of subscribers': '00010001 00000000 0000000e 0b00000a 00000006 0000',
};
for (const [what, hex] of Object.entries(malformed)) {
  test(`${what} is malformed, and keeps the number of its message`, () => {
    const octets = fromHex(hex);
    const message = decodeMessage(octets);
    assert.ok(message instanceof MalformedMessage);
    assert.deepEqual([message.seq, message.peer], [1, 0]);
  });
}

test('attributes of a later protocol are passed over', () => {
  const message = decodeMessage(
    fromHex('00010001 00000000 00000014 7f000008 00000001 01000008 00000004'),
  );
  assert.deepEqual(message, { type: 'STATUS', seq: 1, peer: 0, attributes: { status: 4 } });
});

test('any octets are a message or malformed, and never more', () => {
  const sample = captures.map(({ hex }) => fromHex(hex));
  fc.assert(
    fc.property(
      fc.constantFrom(...sample),
      fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 6 }),
      (octets, changes) => {
        const spoilt = octets.slice();
        for (const [at, value] of changes) spoilt[at % spoilt.length] = value;
        const messages = new Framer().push(spoilt);
        if (messages instanceof UbusError) return;
        for (const found of messages) {
          const message = decodeMessage(found);
          if (!(message instanceof MalformedMessage) && message.attributes.data !== undefined)
            decodeTable(message.attributes.data);
        }
      },
    ),
    { numRuns: 3000 },
  );
});

test('a message seen by a monitor is the message', () => {
  for (const { message } of captures) {
    const seen = encodeMonitored(7, 'to', message, 3);
    const received = decodeMessage(encodeMessage(seen));
    assert.ok(!(received instanceof MalformedMessage));
    assert.deepEqual(received, seen);
    assert.deepEqual(decodeMonitored(received), message);
  }
});
