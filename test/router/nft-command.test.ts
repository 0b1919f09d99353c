/** The real `nft`, in a network namespace of its own. */
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { nft, nftCheck, nftJson } from '../../src/router/nft-command.ts';
import { RouterError } from '../../src/router/router.ts';
import { inNamespace } from '../native/namespace.ts';

inNamespace('nft', import.meta.url, () => {
  beforeEach(() => nft('flush ruleset'));

  test('a script is done as a whole', async () => {
    await nft('table ip one { set addresses { type ipv4_addr; elements = { 192.0.2.1 }; }; }');
    await nft('add element ip one addresses { 192.0.2.2, 192.0.2.3 }');
    assert.match(
      await nft('list set ip one addresses'),
      /192\.0\.2\.1, 192\.0\.2\.2,\s+192\.0\.2\.3/,
    );
  });

  test('a script with a fault has no effect, and the error has what nft says', async () => {
    await assert.rejects(
      nft('add table ip one\nadd element ip one addresses { 192.0.2.1 }'),
      (error: unknown) =>
        error instanceof RouterError &&
        /^nft: .*Error: No such file or directory/.test(error.message) &&
        !error.message.includes('\n'),
    );
    assert.equal(await nft('list tables'), '');
    await assert.rejects(nft('add tabel one'), /syntax error/);
  });

  test('a check has no effect', async () => {
    await nftCheck('add table ip one');
    assert.equal(await nft('list tables'), '');
    await assert.rejects(nftCheck('delete table ip one'), RouterError);
  });

  test('a listing as a value', async () => {
    await nft('add table ip one');
    const { nftables } = (await nftJson('list', 'tables')) as { nftables: { table?: object }[] };
    const tables = nftables.flatMap(({ table }) => table ?? []);
    assert.equal((tables[0] as { name: string }).name, 'one');
    assert.equal(tables.length, 1);
    await assert.rejects(nftJson('list', 'table', 'ip', 'two'), RouterError);
  });

  test('a large script', async () => {
    const elements = Array.from({ length: 60_000 }, (_, i) => `192.0.${i >> 8}.${i & 255}`);
    await nft(
      `table ip one { set addresses { type ipv4_addr; elements = { ${elements.join(', ')} }; }; }`,
    );
    const listed = (await nft('list set ip one addresses')).match(/192\.0\.\d+\.\d+/g);
    assert.equal(listed?.length, elements.length);
  });
});
