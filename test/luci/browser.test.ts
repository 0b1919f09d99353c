/**
 * The pages in a real browser, against a real LuCI:
 *
 *     LUCI_URL=http://192.168.1.1/ LUCI_PASSWORD=… node --import tsx --test test/luci/browser.test.ts
 *
 * The router must have pptp-gateway and both LuCI packages, and no PPTP server, user or link yet; it is left so.
 *
 *     LUCI_CALL            shell command that calls the router as LUCI_CALL_USER with LUCI_CALL_PASSWORD (in its environment)
 *                          until it is killed; without it no session is looked at
 *     LUCI_HANGUP          shell command that ends the call, where killing LUCI_CALL does not
 *     LUCI_LINK            server, user and password of a PPTP server to dial, with spaces between; without it no link is made
 *     LUCI_READER          user and password, with a space between, of a login in /etc/config/rpcd that may read (not write) the
 *                          groups unauthenticated, luci-base and luci-app-pptp-gateway
 *     LUCI_ROLLBACK=1      also lets an apply time out and be rolled back (two minutes)
 *     LUCI_RECORD=1        writes what LuCI's validators say to verdicts.json
 *     LUCI_SHOTS           folder for screenshots
 *     CHROMIUM             /usr/bin/chromium
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { format } from 'prettier';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import { datatypes, path as verdictsPath, recorded, values, type Verdicts } from './verdicts.ts';

const url = process.env['LUCI_URL'];
const password = process.env['LUCI_PASSWORD'] ?? '';
const {
  LUCI_CALL: call,
  LUCI_HANGUP: hangup,
  LUCI_LINK: link,
  LUCI_READER: reader,
  LUCI_SHOTS: shots,
} = process.env;

const pages = ['overview', 'server', 'users', 'radius', 'links', 'passthrough', 'log'];
const modes: Record<string, BrowserContextOptions> = {
  desktop: { viewport: { width: 1200, height: 900 } },
  phone: { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true },
  dark: { viewport: { width: 1200, height: 900 }, colorScheme: 'dark' },
};
const PATIENCE = 90_000; // a router is slow, and an apply takes its time
const user = 'luci-test';

if (url === undefined)
  test('browser', (context) => {
    context.skip('not run: LUCI_URL is not set');
  });
else describe('browser', () => suite(url));

function suite(base: string): void {
  let browser: Browser;
  let page: Page;
  let secret = '';
  const complaints: string[] = [];

  const open = async (mode: string, login?: string): Promise<Page> => {
    const opened = await (await browser.newContext(modes[mode])).newPage();
    opened.setDefaultTimeout(PATIENCE);
    opened.on('pageerror', (error) => complaints.push(`${opened.url()}: ${error.message}`));
    opened.on('console', (message) => {
      if (message.type() === 'error' && opened.url().includes('/vpn/pptp/'))
        complaints.push(`${opened.url()}: ${message.text()}`);
    });
    await opened.goto(new URL('cgi-bin/luci/admin/vpn/pptp/overview', base).href);
    const [name, secret] = login?.split(' ') ?? [];
    if (name !== undefined) await opened.fill('[name=luci_username]', name);
    await opened.fill('[name=luci_password]', secret ?? password);
    await Promise.all([opened.waitForEvent('load'), opened.keyboard.press('Enter')]);
    await opened.waitForSelector('#view h2');
    // What LuCI's page for the login complains about is not ours.
    complaints.length = 0;
    return opened;
  };
  const go = async (name: string, on = page): Promise<void> => {
    await on.goto(new URL(`cgi-bin/luci/admin/vpn/pptp/${name}`, base).href);
    await on.waitForSelector('#view h2');
  };
  const shoot = async (name: string, on = page): Promise<void> => {
    if (shots === undefined) return;
    mkdirSync(shots, { recursive: true });
    await on.screenshot({ path: join(shots, `${name}.png`), fullPage: true });
  };
  const field = (id: string) => page.locator(`[id="widget.cbid.${id}"]`);
  /** LuCI says that the changes are applied, and loads the page anew. */
  const applied = async (press: () => Promise<unknown>): Promise<void> => {
    await press();
    await page.getByText('Configuration changes applied.').waitFor();
    await page.waitForEvent('load');
    await page.waitForSelector('#view h2');
  };
  const saveAndApply = () =>
    applied(() =>
      page.locator('.cbi-page-actions').getByText('Save & Apply', { exact: true }).click(),
    );
  const row = (text: string) => page.locator('#view tr', { hasText: text });

  before(async () => {
    browser = await chromium.launch({
      executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
      args: ['--no-sandbox'],
    });
    page = await open('desktop');
  });
  after(() => browser.close());

  test("LuCI's validators judge as they did when verdicts.json was recorded", async () => {
    await go('service');
    // Typed into a field of LuCI's, one after the other; what is asked last sees what the type has left.
    const judged = await page.evaluate<Verdicts>(
      `(async (datatypes, values) => {
        const ui = await L.require('ui');
        const verdicts = {};
        const changed = {};
        const input = document.createElement('input');
        document.body.append(input);
        for (const datatype of datatypes) {
          let seen;
          const field = input.cloneNode();
          input.replaceWith(field);
          ui.addValidator(field, datatype, true, (value) => ((seen = value), true), 'blur');
          verdicts[datatype] = values.map((value) => {
            field.value = value;
            field.dispatchEvent(new Event('blur'));
            if (field.classList.contains('cbi-input-invalid')) return 0;
            if (seen === value) return 1;
            (changed[datatype] ??= {})[value] = seen;
            return 2;
          });
          field.replaceWith(input);
        }
        input.remove();
        return { verdicts, changed };
      })(${JSON.stringify(datatypes())}, ${JSON.stringify(values)})`,
    );
    if (process.env['LUCI_RECORD'] === '1')
      writeFileSync(verdictsPath, await format(JSON.stringify(judged), { parser: 'json' }));
    assert.deepEqual(judged, recorded());
  });

  test('the router has no server yet', async () => {
    await go('server');
    assert.equal(await page.locator('#view h2').first().textContent(), 'Enable a PPTP server');
    await shoot('server-new-desktop');
  });

  test('enable a server with a first user', async () => {
    await field('network.vpn._username').fill(user);
    secret = await field('network.vpn._password').inputValue();
    assert.match(secret, /^[A-Za-z2-9]{16}$/);
    await saveAndApply();
    assert.equal(await page.locator('#view h2').first().textContent(), 'PPTP server');
    await go('overview');
    await row('vpn').getByText('ready for callers').waitFor();
  });

  test('the first user is there; add a second one', async () => {
    await go('users');
    await row(user).waitFor();
    await page.getByRole('button', { name: 'Add user' }).click();
    const modal = page.locator('.modal');
    await modal.locator('[data-name=username] input').fill(`${user}-2`);
    await modal.getByRole('button', { name: 'Generate' }).click();
    await shoot('user-new-desktop');
    await modal.getByRole('button', { name: 'Save' }).click();
    await row(`${user}-2`).waitFor();
    await saveAndApply();
    await row(`${user}-2`).waitFor();
  });

  test("the widget on LuCI's status page", async () => {
    await page.goto(new URL('cgi-bin/luci/admin/status/overview', base).href);
    await row('vpn').filter({ hasText: 'ready for callers' }).waitFor();
    await shoot('widget-desktop');
  });

  test('Network, Interfaces: every tab of the form opens, and saving it unchanged writes nothing', async () => {
    await page.goto(new URL('cgi-bin/luci/admin/network/network', base).href);
    const server = page.locator('tr[data-sid=vpn]');
    await server.filter({ hasText: 'pptps-vpn' }).waitFor();
    await shoot('interfaces-desktop');
    await server.getByRole('button', { name: 'Edit' }).click();
    const tabs = page.locator('.modal .cbi-tabmenu').first().locator('li:visible a');
    await tabs.first().waitFor();
    const titles = await tabs.allTextContents();
    assert.ok(titles.length >= 3, titles.join());
    for (const [index, title] of titles.entries()) {
      await tabs.nth(index).click();
      await page.locator('.modal .cbi-tab', { hasText: title }).waitFor();
    }
    await page.locator('.modal').getByRole('button', { name: 'Save' }).click();
    await page.locator('.modal').waitFor({ state: 'hidden' });
    const changes: Record<string, string[][]> = await page.evaluate(
      `L.require('uci').then((uci) => uci.changes())`,
    );
    // LuCI's own form writes `multipath`.
    const written = Object.values(changes)
      .flat()
      .filter((change) => change[2] !== 'multipath');
    assert.deepEqual(written, [], 'saved as it was');
    assert.deepEqual(complaints, []);
  });

  test('a passthrough is added with the form, works, and is deleted', async () => {
    await go('passthrough');
    await page.locator('.cbi-section-create input').pressSequentially('lucitest');
    await page.getByRole('button', { name: 'Add passthrough' }).click();
    await page.locator('[id="cbi-pptp-lucitest-src"]').waitFor();
    await saveAndApply();
    await row('lucitest').filter({ hasText: 'lan \u2192 wan' }).waitFor();
    await page.getByRole('button', { name: 'Delete' }).click();
    // LuCI draws the form anew once the deletion is staged; before that there would be nothing to apply.
    await page.locator('[id="cbi-pptp-lucitest-src"]').waitFor({ state: 'detached' });
    await page.waitForFunction(
      `L.require('uci').then((uci) => uci.changes()).then((changes) => (changes.pptp ?? []).length > 0)`,
    );
    await saveAndApply();
    await page.getByText('No passthrough is configured.').waitFor();
  });

  test(
    'who may only read sees the state, and no password',
    { skip: reader === undefined && 'LUCI_READER is not set' },
    async () => {
      const other = await open('desktop', reader);
      for (const name of ['overview', 'links', 'passthrough', 'log']) {
        await go(name, other);
        await other.waitForTimeout(4000); // one more poll
        assert.equal(await other.getByText('Access denied').count(), 0, name);
      }
      assert.equal(await other.getByText('Users', { exact: true }).count(), 0);
      await go('links', other);
      assert.ok(await other.getByRole('button', { name: 'Add link' }).isDisabled());
      for (const config of ['network', 'pptp_users'])
        await assert.rejects(
          other.evaluate(`L.require('uci').then((uci) => uci.load('${config}'))`),
          /denied|code 6/i,
          config,
        );
      await other.context().close();
      assert.deepEqual(complaints, []);
    },
  );

  test('a set-up for a PC', async () => {
    await go('users');
    await page
      .locator('#view tr', { hasText: user })
      .first()
      .getByRole('button', { name: 'Set up a PC' })
      .click();
    const modal = page.locator('.modal');
    await modal.getByText('Add-VpnConnection').waitFor();
    assert.ok(!(await modal.textContent())!.includes(secret));
    await shoot('windows-desktop');
    await modal.getByRole('button', { name: 'Dismiss' }).click();
  });

  test(
    'a session appears, and Disconnect ends it',
    { skip: call === undefined && 'LUCI_CALL is not set' },
    async () => {
      const caller = spawn(call!, {
        shell: true,
        stdio: 'ignore',
        env: { ...process.env, LUCI_CALL_USER: user, LUCI_CALL_PASSWORD: secret },
      });
      try {
        await go('overview');
        const session = row(user).filter({ hasText: 'MPPE 128' });
        await session.waitFor();
        await page.waitForTimeout(10_000); // some points of the graph
        await shoot('overview-desktop');
        for (const mode of ['phone', 'dark']) {
          const other = await open(mode);
          await go('overview', other);
          await other.getByText('MPPE 128').waitFor();
          await other.waitForTimeout(8000);
          await shoot(`overview-${mode}`, other);
          await other.context().close();
        }
        await go('users');
        await row(user)
          .getByText(/192\.168\.\d+\.\d+, /)
          .waitFor();
        await shoot('users-desktop');
        await go('overview');
        await session.getByRole('button', { name: 'Disconnect' }).click();
        await go('log');
        await page
          .getByText(new RegExp(`user "${user}".*down USER_REQUEST`))
          .first()
          .waitFor();
        await shoot('log-desktop');
      } finally {
        caller.kill();
        if (hangup !== undefined) spawnSync(hangup, { shell: true });
      }
    },
  );

  test(
    'add and check a link, break it and read the reason',
    { skip: link === undefined && 'LUCI_LINK is not set' },
    async () => {
      const [server, name, secret] = link!.split(' ') as [string, string, string];
      await go('links');
      await page.getByRole('button', { name: 'Add link' }).click();
      await field('json.link.name').fill('lucitest');
      await field('json.link.server').fill(server);
      await field('json.link.username').fill(name);
      await field('json.link.password').fill(secret);
      await shoot('link-new-desktop');
      await applied(() =>
        page.locator('.modal').getByRole('button', { name: 'Save & Apply' }).click(),
      );
      await row('lucitest').filter({ hasText: '● connected' }).waitFor();
      await row('lucitest').getByRole('button', { name: 'Check' }).click();
      await page.getByText(/Everything works up to here|ping was not answered/).waitFor();
      assert.equal((await page.locator('.modal [data-result=ok]').count()) >= 9, true);
      await shoot('check-desktop');
      await page.locator('.modal').getByRole('button', { name: 'Dismiss' }).click();
      await shoot('links-desktop');

      await row('lucitest').getByRole('button', { name: 'Edit' }).click();
      await field('network.lucitest.password').fill('wrong');
      await applied(() =>
        page.locator('.modal').getByRole('button', { name: 'Save & Apply' }).click(),
      );
      await row('lucitest').getByText('The server refused the login').waitFor();
      await shoot('link-broken-desktop');
      await row('lucitest').getByRole('button', { name: 'Check' }).click();
      await page.locator('.modal [data-step=login][data-result=failed]').waitFor();
      await page.locator('.modal').getByText('The server refused the login').waitFor();
      await shoot('check-broken-desktop');
      await page.locator('.modal').getByRole('button', { name: 'Dismiss' }).click();
      await row('lucitest').getByRole('button', { name: 'Delete' }).click();
      await applied(() => page.locator('.modal').getByRole('button', { name: 'Delete' }).click());
      await page.getByText('There is no link yet.').waitFor();
    },
  );

  test('a capture can be downloaded', async () => {
    await go('log');
    await page.getByRole('button', { name: 'Start capture' }).click();
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Stop and download' }).click();
    assert.match((await download).suggestedFilename(), /\.pcap$/);
  });

  for (const mode of Object.keys(modes))
    test(`every page: no complaint, nothing wider than the window (${mode})`, async () => {
      const other = await open(mode);
      for (const name of pages) {
        await go(name, other);
        await other.waitForTimeout(3000);
        const [wide, window] = await other.evaluate<[number, number]>(
          '[document.documentElement.scrollWidth, innerWidth]',
        );
        assert.ok(wide <= window, `${name}: ${wide} pixels on a window of ${window}`);
        const help = await other.getByText('Help for this page').getAttribute('href');
        assert.ok((await other.request.get(new URL(help!, base).href)).ok(), `${name}: ${help}`);
        await shoot(`${name}-${mode}-plain`, other);
      }
      await other.context().close();
      assert.deepEqual(complaints, []);
    });

  test(
    'an apply that is not confirmed is rolled back',
    { skip: process.env['LUCI_ROLLBACK'] !== '1' && 'LUCI_ROLLBACK is not set' },
    async () => {
      await go('users');
      await page.route('**/admin/uci/confirm*', (route) => route.abort());
      await row(`${user}-2`).locator('input[type=checkbox]').uncheck();
      await page.locator('.cbi-page-actions').getByText('Save & Apply', { exact: true }).click();
      await page.getByText('waiting for rollback').waitFor({ timeout: 200_000 });
      await page.unroute('**/admin/uci/confirm*');
      await page
        .getByText('Configuration changes have been rolled back!')
        .waitFor({ timeout: 200_000 });
      await page.getByRole('button', { name: 'Revert changes' }).click();
      await page.waitForEvent('load');
      await go('users');
      assert.ok(await row(`${user}-2`).locator('input[type=checkbox]').isChecked());
      await go('overview');
      await row('vpn').getByText('ready for callers').waitFor();
    },
  );

  test('delete users and server: nothing is left', async () => {
    await go('users');
    for (const name of [`${user}-2`, user]) {
      await row(name).getByRole('button', { name: 'Delete' }).click();
      await row(name).waitFor({ state: 'detached' });
    }
    await saveAndApply();
    assert.equal(await row(user).count(), 0);
    await go('server');
    await applied(() => page.getByRole('button', { name: 'Delete' }).click());
    assert.equal(await page.locator('#view h2').first().textContent(), 'Enable a PPTP server');
    await go('overview');
    await page.getByText('No server and no link is configured yet.').waitFor();
  });
}
