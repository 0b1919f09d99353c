import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  createPppHeader,
  decodePppFrame,
  encodePppFrame,
  PppProtocol,
  readPppHeader,
  writePppHeader,
} from '../../src/wire/ppp-frame.ts';
import { bad, embed, hex, ok } from './sample.ts';

const samples = [
  { octets: 'ff03 c021', protocol: PppProtocol.Lcp, headerLength: 4 },
  { octets: 'c021', protocol: PppProtocol.Lcp, headerLength: 2 },
  { octets: 'ff03 0021', protocol: PppProtocol.Ip, headerLength: 4 },
  { octets: '0021', protocol: PppProtocol.Ip, headerLength: 2 },
  { octets: 'ff03 21', protocol: PppProtocol.Ip, headerLength: 3 },
  { octets: '21', protocol: PppProtocol.Ip, headerLength: 1 },
  { octets: 'fd', protocol: PppProtocol.Compressed, headerLength: 1 },
  { octets: 'ff03 00fd', protocol: PppProtocol.Compressed, headerLength: 4 },
  { octets: '8057', protocol: PppProtocol.Ipv6cp, headerLength: 2 },
  // An even low octet: no protocol, but whole, so that it can be Protocol-Rejected.
  { octets: 'c022', protocol: 0xc022, headerLength: 2 },
  // FF without 03 is not the address field.
  { octets: 'ff04', protocol: 0xff, headerLength: 1 },
] as const;

describe('readPppHeader', () => {
  for (const { octets, protocol, headerLength } of samples) {
    it(`reads ${octets}`, () => {
      const header = hex(octets);
      for (const filler of [0x00, 0x03, 0xff]) {
        const into = createPppHeader();
        const length = Math.max(header.length, headerLength);
        assert.equal(readPppHeader(embed(header, 3, filler), 3, length, into), true);
        assert.deepEqual(into, { protocol, headerLength });
        // With a payload the same.
        assert.equal(readPppHeader(embed(header, 3, filler), 3, length + 5, into), true);
        assert.deepEqual(into, { protocol, headerLength });
      }
    });

    it(`refuses ${octets} cut within the header, whatever follows`, () => {
      for (let length = 0; length < headerLength; length++) {
        const into = { protocol: -1, headerLength: -1 };
        const result = readPppHeader(embed(hex(octets), 3, 0x21), 3, length, into);
        // FF 03 cut to FF is a one-octet protocol, 0x00ff, which nobody has.
        if (length === 1 && octets.startsWith('ff')) {
          assert.equal(result, true);
          assert.deepEqual(into, { protocol: 0xff, headerLength: 1 });
        } else {
          assert.equal(result, false, `length ${length}`);
          assert.deepEqual(into, { protocol: -1, headerLength: -1 });
        }
      }
    });
  }

  it('takes any octets without throwing and stays within them', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 6 }),
          fc.uint8Array({ maxLength: 3 }).map((tail) => Uint8Array.of(0xff, 3, ...tail)),
        ),
        (octets) => {
          const into = createPppHeader();
          const other = createPppHeader();
          const result = readPppHeader(embed(octets, 2, 0x03), 2, octets.length, into);
          assert.equal(readPppHeader(embed(octets, 2, 0x80), 2, octets.length, other), result);
          assert.deepEqual(into, other);
          if (result) assert.ok(into.headerLength <= octets.length);
        },
      ),
    );
  });
});

describe('writePppHeader', () => {
  it('writes the four forms', () => {
    const forms = [
      { pfc: false, acfc: false, octets: 'ff030021' },
      { pfc: true, acfc: false, octets: 'ff0321' },
      { pfc: false, acfc: true, octets: '0021' },
      { pfc: true, acfc: true, octets: '21' },
    ];
    for (const { pfc, acfc, octets } of forms) {
      const buffer = new Uint8Array(8).fill(0xee);
      const expected = hex(octets);
      assert.equal(writePppHeader(buffer, 2, PppProtocol.Ip, pfc, acfc), expected.length);
      assert.deepEqual(buffer, embed(expected, 2, 0xee).subarray(0, 8));
    }
  });

  it('cannot compress a protocol of 0x0100 and above', () => {
    const buffer = new Uint8Array(4);
    assert.equal(writePppHeader(buffer, 0, PppProtocol.Ccp, true, true), 2);
    assert.deepEqual(buffer, hex('80fd0000'));
  });

  it('compresses up to 0x00ff and no further', () => {
    const buffer = new Uint8Array(4);
    assert.equal(writePppHeader(buffer, 0, 0x00fd, true, true), 1);
    assert.equal(writePppHeader(buffer, 0, 0x0100, true, true), 2);
  });

  it('is the inverse of readPppHeader for every protocol of the list', () => {
    for (const protocol of Object.values(PppProtocol)) {
      for (const pfc of [false, true]) {
        for (const acfc of [false, true]) {
          const buffer = new Uint8Array(8);
          const headerLength = writePppHeader(buffer, 1, protocol, pfc, acfc);
          const into = createPppHeader();
          assert.equal(readPppHeader(buffer, 1, headerLength, into), true);
          assert.deepEqual(into, { protocol, headerLength });
        }
      }
    }
  });
});

describe('PppProtocol', () => {
  it('holds only numbers that RFC 1661 allows', () => {
    for (const protocol of Object.values(PppProtocol)) {
      assert.equal(protocol & 1, 1);
      assert.equal(protocol & 0x0100, 0);
    }
  });
});

describe('a PPP frame', () => {
  it('is written with FF 03 and two octets of protocol', () => {
    assert.deepEqual(
      encodePppFrame(PppProtocol.Lcp, hex('09010008 00000000')),
      hex('ff03 c021 09010008 00000000'),
    );
    assert.deepEqual(encodePppFrame(PppProtocol.Ip, new Uint8Array()), hex('ff03 0021'));
  });

  it('comes back as it went', () => {
    const protocol = fc.constantFrom(...Object.values(PppProtocol));
    fc.assert(
      fc.property(protocol, fc.uint8Array({ maxLength: 40 }), (number, payload) => {
        assert.deepEqual(decodePppFrame(encodePppFrame(number, payload)), {
          protocol: number,
          payload,
        });
      }),
    );
  });

  it('is decoded in its short form, to memory of its own', () => {
    const input = Buffer.from('c02305010004', 'hex');
    const frame = ok(decodePppFrame(input));
    input.fill(0);
    assert.deepEqual(frame, { protocol: PppProtocol.Pap, payload: hex('05010004') });
  });

  it('is refused without a whole header', () => {
    for (const octets of ['', 'c0', 'ff03', 'ff0300'])
      bad(decodePppFrame(hex(octets)), 'too-short');
  });

  it('may be any octets', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 8 }), (octets) => {
        assert.equal(typeof decodePppFrame(octets), 'object');
      }),
    );
  });
});
