import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isMalformed } from '../../src/wire/codec.ts';
import {
  decodeMsChapResponse,
  decodeMsChapV2Response,
  encodeMsChapResponse,
  encodeMsChapV2Response,
  formatMsChapFailure,
  formatMsChapV2Success,
  MS_CHAP_CHALLENGE_LENGTH,
  MS_CHAP_V2_CHALLENGE_LENGTH,
  MsChapError,
  parseMsChapFailure,
  parseMsChapV2Success,
  type MsChapFailure,
} from '../../src/wire/ms-chap.ts';
import { bad, hex } from './sample.ts';

describe('an MS-CHAP response', () => {
  // RFC 2433 appendix B.2's NT response for MyPw; no LM response.
  const octets = hex('0*24 4e9d3c8f9cfd385d5bf4d3246791956ca4c351ab409a3d61 01');
  const response = {
    lmResponse: new Uint8Array(24),
    ntResponse: hex('4e9d3c8f9cfd385d5bf4d3246791956ca4c351ab409a3d61'),
    useNtResponse: 1,
  };

  it('has 49 octets: LM, NT, flag (RFC 2433 §4)', () => {
    assert.equal(octets.length, 49);
    assert.deepEqual(decodeMsChapResponse(octets), response);
    assert.deepEqual(encodeMsChapResponse(response), octets);
  });

  it('is refused at every other length', () => {
    for (let length = 0; length < 49; length++)
      bad(decodeMsChapResponse(octets.subarray(0, length)), 'too-short');
    bad(decodeMsChapResponse(new Uint8Array(50)), 'too-long');
  });

  it('comes back as it went, from any 49 octets', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 49, maxLength: 49 }), (value) => {
        const decoded = decodeMsChapResponse(value);
        assert.ok(!isMalformed(decoded));
        assert.deepEqual(encodeMsChapResponse(decoded), value);
      }),
    );
  });
});

describe('an MS-CHAP-V2 response', () => {
  // RFC 2759 §9.2
  const octets = hex(`
    21402324255e262a28295f2b3a337c7e 0*8
    82309ecd8d708b5ea08faa3981cd83544233114a3d85d6df 00`);
  const response = {
    peerChallenge: hex('21402324255e262a28295f2b3a337c7e'),
    ntResponse: hex('82309ecd8d708b5ea08faa3981cd83544233114a3d85d6df'),
    flags: 0,
  };

  it('has 49 octets: peer challenge, reserved, NT response, flags (RFC 2759 §4)', () => {
    assert.equal(octets.length, 49);
    assert.deepEqual(decodeMsChapV2Response(octets), response);
    assert.deepEqual(encodeMsChapV2Response(response), octets);
  });

  it('is read whatever its reserved octets hold, and with the flags of Windows 98', () => {
    const rubbish = octets.slice().fill(0xa5, 16, 24);
    rubbish[48] = 4;
    assert.deepEqual(decodeMsChapV2Response(rubbish), { ...response, flags: 4 });
  });

  it('is refused at every other length', () => {
    for (let length = 0; length < 49; length++)
      bad(decodeMsChapV2Response(octets.subarray(0, length)), 'too-short');
    bad(decodeMsChapV2Response(new Uint8Array(50)), 'too-long');
  });

  it('comes back as it went', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 49, maxLength: 49 }), (value) => {
        const decoded = decodeMsChapV2Response(value);
        assert.ok(!isMalformed(decoded));
        assert.deepEqual(encodeMsChapV2Response(decoded), value.slice().fill(0, 16, 24));
      }),
    );
  });
});

describe('the challenges', () => {
  it('have 8 octets (RFC 2433 §3) and 16 (RFC 2759 §3)', () => {
    assert.deepEqual([MS_CHAP_CHALLENGE_LENGTH, MS_CHAP_V2_CHALLENGE_LENGTH], [8, 16]);
  });
});

describe('the text of a Failure', () => {
  const challenge = hex('5b5d7c7d7b3f2f3e3c2c602132262628');
  const text = 'E=691 R=0 C=5B5D7C7D7B3F2F3E3C2C602132262628 V=3 M=Access denied';
  const failure: MsChapFailure = {
    errorCode: MsChapError.AuthenticationFailure,
    retry: false,
    challenge,
    version: 3,
    message: 'Access denied',
  };

  it('is read and written as in RFC 2759 §6', () => {
    assert.deepEqual(parseMsChapFailure(text), failure);
    assert.equal(formatMsChapFailure(failure), text);
  });

  it('may have only E', () => {
    const short = { errorCode: 691, retry: false, message: '' };
    assert.deepEqual(parseMsChapFailure('E=691'), short);
    assert.equal(formatMsChapFailure(short), 'E=691 R=0');
  });

  it('may allow a retry, with the 8 octets of MS-CHAP, in lower case', () => {
    assert.deepEqual(parseMsChapFailure('E=0000000648 R=1 C=102db5df085d3041 V=2'), {
      errorCode: MsChapError.PasswordExpired,
      retry: true,
      challenge: hex('102db5df085d3041'),
      version: 2,
      message: '',
    });
    assert.equal(formatMsChapFailure({ errorCode: 648, retry: true, message: '' }), 'E=648 R=1');
  });

  it('takes what follows M= as text, even if it looks like fields', () => {
    const parsed = parseMsChapFailure('E=691 M=no R=1 C=00 V=9 M=x');
    assert.deepEqual(parsed, { errorCode: 691, retry: false, message: 'no R=1 C=00 V=9 M=x' });
  });

  it('counts a part that is not what it should be as absent', () => {
    const expected = { errorCode: 691, retry: false, message: '' };
    for (const odd of ['C=0', 'C=xyz', 'C=', 'V=x', 'R=2', 'R=', 'XR=1', 'R=1x', 'V=12345678901'])
      assert.deepEqual(parseMsChapFailure(`E=691 ${odd}`), expected, odd);
  });

  it('is malformed without a number behind E=', () => {
    for (const wrong of ['', 'R=1', 'E=', 'E=x', 'XE=691', 'E=691x', 'E=12345678901', 'M=E=691'])
      bad(parseMsChapFailure(wrong), 'bad-value');
  });

  it('comes back as it went', () => {
    const message = fc.string({ maxLength: 20 });
    fc.assert(
      fc.property(
        fc.nat(),
        fc.boolean(),
        fc.option(fc.uint8Array({ minLength: 1, maxLength: 16 })),
        fc.option(fc.nat(9)),
        message,
        (errorCode, retry, bytes, version, words) => {
          const value: MsChapFailure = {
            errorCode,
            retry,
            ...(bytes === null ? {} : { challenge: bytes }),
            ...(version === null ? {} : { version }),
            message: words,
          };
          assert.deepEqual(parseMsChapFailure(formatMsChapFailure(value)), value);
        },
      ),
    );
  });

  it('may be anything', () => {
    const pieces = fc.array(fc.constantFrom('E=', 'R=', 'C=', 'M=', ' ', '1', 'ab', '\n', 'é'));
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          pieces.map((list) => list.join('')),
        ),
        (input) => {
          assert.equal(typeof parseMsChapFailure(input), 'object');
        },
      ),
    );
  });

  it('has the numbers of RFC 2759 §6', () => {
    assert.deepEqual(Object.values(MsChapError), [646, 647, 648, 649, 691, 709, 930]);
  });
});

describe('the text of a Success', () => {
  // RFC 2759 §9.2
  const response = '407A5589115FD0D6209F510FE9C04566932CDA56';
  const authenticatorResponse = hex(response.toLowerCase());

  it('is read and written as in RFC 2759 §5', () => {
    const success = { authenticatorResponse, message: 'Access granted' };
    assert.deepEqual(parseMsChapV2Success(`S=${response} M=Access granted`), success);
    assert.equal(formatMsChapV2Success(success), `S=${response} M=Access granted`);
  });

  it('may have no M=, as Windows 98 wants it', () => {
    const success = { authenticatorResponse, message: '' };
    assert.deepEqual(parseMsChapV2Success(`S=${response}`), success);
    assert.deepEqual(parseMsChapV2Success(`S=${response} `), success);
    assert.equal(formatMsChapV2Success(success), `S=${response}`);
  });

  it('may have no blank before M=, and lower case', () => {
    assert.deepEqual(parseMsChapV2Success(`S=${response.toLowerCase()}M=S=hi`), {
      authenticatorResponse,
      message: 'S=hi',
    });
  });

  it('is malformed without the 40 digits at its start', () => {
    const wrong = [
      '',
      'S=',
      `S=${response.slice(1)}`,
      `S=${response}0`,
      ` S=${response}`,
      `s=${response}`,
      `S=${response} X=1`,
      `S=${response.replace('4', 'g')}`,
      `M=S=${response}`,
    ];
    for (const text of wrong) bad(parseMsChapV2Success(text), 'bad-value');
  });

  it('comes back as it went', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 20, maxLength: 20 }),
        fc.string(),
        (octets, message) => {
          const success = { authenticatorResponse: octets, message };
          assert.deepEqual(parseMsChapV2Success(formatMsChapV2Success(success)), success);
        },
      ),
    );
  });

  it('may be anything', () => {
    fc.assert(fc.property(fc.string(), (text) => bad(parseMsChapV2Success(text), 'bad-value')));
  });
});
