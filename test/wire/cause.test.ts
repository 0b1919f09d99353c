import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { cause, causeCodes, describeCause, disconnectCode } from '../../src/wire/cause.ts';

describe('causes', () => {
  it('are constants by their code', () => {
    assert.ok(causeCodes.length > 0);
    assert.equal(new Set(causeCodes).size, causeCodes.length);
    for (const code of causeCodes) assert.match(code, /^[A-Z][A-Z0-9]*(_[A-Z]+)*$/);
  });

  it('keep the names that the stock PPP handler of OpenWrt sends', () => {
    for (const code of [
      'USER_REQUEST',
      'AUTH_TOPEER_FAILED',
      'PEER_DEAD',
      'LOOPBACK',
      'CONNECT_FAILED',
    ])
      assert.ok((causeCodes as readonly string[]).includes(code), code);
  });

  it('have each a whole sentence of their own', () => {
    const sentences = causeCodes.map((code) => describeCause({ code }));
    for (const sentence of sentences) {
      assert.match(sentence, /^\S.*[.?]$/);
      assert.match(sentence, / /);
      assert.doesNotMatch(sentence, / {2}|\n/);
    }
    assert.equal(new Set(sentences).size, sentences.length);
  });

  it('carry a detail only where there is one', () => {
    assert.deepEqual(cause('HANGUP'), { code: 'HANGUP' });
    assert.equal('detail' in cause('HANGUP'), false);
    assert.deepEqual(cause('CONNECT_FAILED', 'EACCES'), {
      code: 'CONNECT_FAILED',
      detail: 'EACCES',
    });
  });

  it('put the detail behind the sentence', () => {
    assert.equal(
      describeCause(cause('CONNECT_FAILED', 'EACCES')),
      'The TCP connection to the server failed. (EACCES)',
    );
    assert.equal(
      describeCause(cause('CONNECT_FAILED')),
      'The TCP connection to the server failed.',
    );
  });

  it('have a disconnect code of RFC 3145 section 3, or 0', () => {
    for (const code of causeCodes) {
      const number = disconnectCode(code);
      assert.ok(Number.isInteger(number) && number >= 0 && number <= 20, `${code}: ${number}`);
    }
    assert.equal(disconnectCode('PEER_DEAD'), 6);
    assert.equal(disconnectCode('AUTH_TOPEER_FAILED'), 14);
    assert.equal(disconnectCode('RESOLVE_FAILED'), 0);
  });
});
