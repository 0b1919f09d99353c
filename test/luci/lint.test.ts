/** The views pass the linter with LuCI's globals, and the linter sees what it must. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ESLint } from 'eslint';
import { repository } from '../../tools/luci/sources.ts';

const eslint = new ESLint({ cwd: repository });
const path = `${repository}/openwrt/luci-app-pptp-gateway/htdocs/luci-static/resources/view/pptp-gateway/test.js`;

test('our views', async () => {
  const results = await eslint.lintFiles(['openwrt/luci-*/**/*.js']);
  assert.ok(results.length > 20);
  assert.deepEqual(
    results.flatMap(({ filePath, messages }) =>
      messages.map(({ message }) => `${filePath}: ${message}`),
    ),
    [],
  );
});

describe('refused', () => {
  const refused = {
    'a bare text as content': "const name = window.name;\nreturn E('p', {}, name);",
    'content without attributes': "const name = window.name;\nreturn E('p', name);",
    'markup as the tag': "return E('<p>text</p>');",
    'a bare text in a notification':
      "'require ui';\nui.addNotification(null, window.name);\nreturn E('p', {}, []);",
    innerHTML: "const node = E('p', {}, []);\nnode.innerHTML = window.name;\nreturn node;",
    'a text made of pieces': 'return _("a" + window.name);',
    'a module that is not required': 'return uci.get("network");',
    'a required module that is not used': "'require uci';\nreturn null;",
  };
  for (const [what, code] of Object.entries(refused))
    test(what, async () => {
      const [result] = await eslint.lintText(`${code}\n`, { filePath: path });
      assert.equal(
        result!.errorCount,
        1,
        JSON.stringify(result!.messages.map(({ message }) => message)),
      );
    });
});

test('accepted: content in an array', async () => {
  const [result] = await eslint.lintText(
    "'require ui';\nreturn E('p', { click: ui.hideModal }, [_('Text'), window.name]);\n",
    { filePath: path },
  );
  assert.equal(result!.errorCount, 0);
});
