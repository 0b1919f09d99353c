/** Every call in the ACL and the other way round; menu and ACL have the form LuCI and rpcd expect; no page reads secrets it does not need. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Ajv, type AnySchema } from 'ajv';
import { calls, constant, repository, sources, syntaxTree } from '../../tools/luci/sources.ts';
import { luci, recorder } from './luci.ts';

const root = join(repository, 'openwrt/luci-app-pptp-gateway/root/usr/share');
const json = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as unknown;

interface Rights {
  readonly ubus?: Record<string, string[]>;
  readonly uci?: string[];
  readonly file?: Record<string, string[]>;
}
type Acl = Record<string, { description: string; read?: Rights; write?: Rights }>;
type Menu = Record<
  string,
  { title: string; action: { type: string; path?: string }; depends: { acl: string[] } }
>;

const acl = json(join(root, 'rpcd/acl.d/luci-app-pptp-gateway.json')) as Acl;
const menu = json(join(root, 'luci/menu.d/luci-app-pptp-gateway.json')) as Menu;
const trees = sources().map((source) => ({ ...source, calls: calls(syntaxTree(source.text)) }));

/** Calls that LuCI's own fs class makes for us. */
const byFs: Record<string, string> = { 'fs.exec': 'file.exec' };

describe('ubus', () => {
  const declared = trees.flatMap(({ calls }) =>
    calls
      .filter(({ callee }) => callee === 'rpc.declare')
      .map(({ arguments: [options] }) => constant(options) as { object: string; method: string })
      .map(({ object, method }) => `${object}.${method}`),
  );
  const throughFs = trees.flatMap(({ calls }) => calls.flatMap(({ callee }) => byFs[callee] ?? []));
  const granted = Object.values(acl).flatMap(({ read, write }) =>
    [read, write].flatMap((rights) =>
      Object.entries(rights?.ubus ?? {}).flatMap(([object, methods]) =>
        methods.map((method) => `${object}.${method}`),
      ),
    ),
  );

  test('every call is granted, and every grant is used', () => {
    assert.deepEqual(
      [...new Set(granted)].sort(),
      [...new Set([...declared, ...throughFs])].sort(),
    );
  });

  test('what changes something is granted to writers only', () => {
    const read = Object.values(acl).flatMap(({ read }) => read?.ubus?.['pptp'] ?? []);
    assert.deepEqual(read.sort(), [
      'bans',
      'check_status',
      'client_setup',
      'failures',
      'log',
      'sessions',
      'status',
      'usage',
    ]);
  });

  test('who may watch runs no command, takes no interface down and captures no secret', () => {
    const { read, write } = acl['luci-app-pptp-gateway']!;
    for (const rights of [read!, write!]) {
      assert.ok(Object.keys(rights.ubus!).every((object) => object !== 'file' && object !== 'log'));
      assert.deepEqual(
        (rights.ubus!['network.interface'] ?? []).filter((method) => method !== 'dump'),
        [],
      );
      for (const method of ['capture_secrets', 'check_server', 'radius_test', 'reload'])
        assert.ok(!rights.ubus!['pptp']!.includes(method), method);
      for (const [path, what] of Object.entries(rights.file ?? {})) {
        assert.deepEqual(what, ['read'], path);
        assert.match(path, /\/pptp-gateway\/capture-\*\.pcap$/);
      }
    }
  });

  test('every declared call is used by some module', () => {
    const { text } = trees.find(({ module }) => module === 'pptp-gateway.bus')!;
    const names = [...text.matchAll(/^\t(\w+): rpc\.declare/gm)].map(([, name]) => name!);
    assert.ok(names.length > 10);
    const all = trees.map((source) => source.text).join('\n');
    for (const name of names) assert.match(all, new RegExp(`\\b(bus|calls)\\.${name}\\(`), name);
  });
});

describe('files', () => {
  test('every command that is run is granted word for word, without wildcards, and the other way round', () => {
    const commands = trees.flatMap(({ calls }) =>
      calls
        .filter(({ callee }) => ['fs.exec', 'fs.exec_direct'].includes(callee))
        .map(({ arguments: [command, words] }) =>
          [constant(command), ...((constant(words) as string[] | undefined) ?? [])].join(' '),
        ),
    );
    const granted = Object.values(acl).flatMap(({ read, write }) =>
      [read, write].flatMap((rights) =>
        Object.entries(rights?.file ?? {})
          .filter(([, what]) => what.includes('exec'))
          .map(([command]) => command),
      ),
    );
    assert.deepEqual([...granted].sort(), [...new Set(commands)].sort());
    assert.ok(granted.every((command) => !/[*?[]/.test(command)));
  });
});

describe('uci', () => {
  const secret = ['network', 'pptp_radius', 'pptp_users', 'pptpd'];

  test('who may only watch is granted no file with passwords', () => {
    const { read, write } = acl['luci-app-pptp-gateway']!;
    for (const file of [...(read?.uci ?? []), ...(write?.uci ?? [])])
      assert.ok(!secret.includes(file), file);
  });

  test('every loaded file is granted', () => {
    const loaded = trees.flatMap(({ calls }) =>
      calls
        .filter(({ callee }) => callee === 'uci.load' || callee.endsWith('.chain'))
        .flatMap(({ arguments: [files] }) => [constant(files) as string | string[]].flat()),
    );
    const granted = acl['luci-app-pptp-gateway-config']!.read!.uci!;
    for (const file of loaded.filter((name) => name as string | undefined))
      assert.ok(granted.includes(file), file);
  });

  test('the log, the overview and the widget do not even know how to load a file', () => {
    const required = (module: string, seen = new Set<string>()): Set<string> => {
      const source = trees.find((tree) => tree.module === module);
      for (const [, name] of source?.text.matchAll(/^'require (\S+?)(?: as \S+)?';$/gm) ?? [])
        if (!seen.has(name!)) required(name!, seen.add(name!));
      return seen;
    };
    for (const page of [
      'view.pptp-gateway.overview',
      'view.pptp-gateway.log',
      'view.status.include.80_pptp-gateway',
    ])
      for (const module of required(page))
        assert.ok(
          !['uci', 'form', 'network', 'firewall'].includes(module),
          `${page} requires ${module}`,
        );
  });

  test('office links and passthrough show their state without loading a file', async () => {
    for (const page of ['links', 'passthrough']) {
      const { form } = recorder();
      const router = luci({ form });
      Object.assign(router.answers, {
        'pptp.status': { servers: [], links: [], disabled: [], relays: [] },
        'network.interface.dump': { interface: [] },
        'session.access': { access: true },
      });
      const view = router.module(`view.pptp-gateway.${page}`);
      await view.render(await view.load());
      for (const poll of router.polls) await poll();
      assert.deepEqual(router.loaded, []);
    }
  });
});

describe('menu', () => {
  test('every page has its view, and every view its page', () => {
    const paths = Object.values(menu).flatMap(({ action }) => action.path ?? []);
    const views = trees
      .map(({ module }) => module)
      .filter((module) => module.startsWith('view.pptp-gateway.'));
    assert.deepEqual(
      paths.sort(),
      views.map((module) => module.slice('view.'.length).replaceAll('.', '/')).sort(),
    );
  });

  test('pages depend on groups of the ACL, those that are of no use without changing anything on the second', () => {
    for (const [page, { depends }] of Object.entries(menu)) {
      for (const group of depends.acl) assert.ok(group in acl, group);
      const changes = ['radius', 'server', 'service', 'users'].includes(page.split('/').at(-1)!);
      assert.equal(depends.acl.includes('luci-app-pptp-gateway-config'), changes, page);
    }
  });
});

describe('JSON schemas', () => {
  const validate = (schema: AnySchema, document: unknown) => {
    const ajv = new Ajv({ allErrors: true });
    assert.ok(ajv.validate(schema, document), ajv.errorsText());
  };
  const schemas = join(import.meta.dirname, 'schemas');

  test('menu.d', () => validate(json(join(schemas, 'menu.schema.json')) as AnySchema, menu));
  test('acl.d', () => validate(json(join(schemas, 'acl.schema.json')) as AnySchema, acl));
  test('a schema refuses what it must', () => {
    const wrong = { 'admin/x': { title: 'X', action: { type: 'view' } } };
    assert.throws(() => validate(json(join(schemas, 'menu.schema.json')) as AnySchema, wrong));
    assert.throws(() =>
      validate(json(join(schemas, 'acl.schema.json')) as AnySchema, {
        a: { read: { ubus: ['x'] } },
      }),
    );
  });
  test('there is nothing else in root/', () => {
    const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((file) =>
      file.endsWith('.json'),
    );
    assert.equal(files.length, 2);
  });
});
