/**
 * Runs a test file's tests in a network namespace of their own, which vanishes with the process: nothing to clean up.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const marker = 'PPTP_GATEWAY_TEST_NAMESPACE';

/**
 * The file runs itself again inside a new namespace (lo is up, no IPv6), where `define` declares the tests.
 * The one test it is outside passes when all of them do, and shows their report when not.
 */
export function inNamespace(name: string, url: string, define: () => void): void {
  if (process.env[marker] === url) {
    writeFileSync('/proc/sys/net/ipv6/conf/all/disable_ipv6', '1');
    writeFileSync('/proc/sys/net/ipv6/conf/default/disable_ipv6', '1');
    ip('link set lo up');
    endWithParent();
    define();
    return;
  }
  // A ceiling for what hangs; on a machine with much else to do a whole file takes minutes.
  test(`${name} (in a network namespace)`, { timeout: 900_000 }, async (context) => {
    const child = spawnInNamespace(url, ['ignore', 'pipe', 'pipe', 'ipc']);
    context.signal.addEventListener('abort', () => child.kill('SIGKILL'));
    let report = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (report += text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (report += text));
    const [code] = (await once(child, 'close')) as [number | null];
    assert.equal(code, 0, report);
    context.diagnostic(`${/^# pass (\d+)|^ℹ pass (\d+)/m.exec(report)?.[0] ?? ''} inside`);
  });
}

/** A program of TypeScript in a new network namespace; it ends when we do. */
export function spawnInNamespace(
  url: string,
  stdio: ('ignore' | 'inherit' | 'pipe' | 'ipc')[],
): ChildProcess {
  const environment: NodeJS.ProcessEnv = { ...process.env, [marker]: url };
  delete environment['NODE_TEST_CONTEXT']; // the report is for reading
  return spawn('unshare', ['--net', process.execPath, '--import', 'tsx', fileURLToPath(url)], {
    stdio,
    env: environment,
  });
}

/** In a child: to end with the parent, however that ends. */
export function endWithParent(): void {
  process.once('disconnect', () => process.exit(1));
  process.channel?.unref();
}

export function ip(command: string): void {
  execFileSync('ip', command.split(' '), { stdio: 'pipe' });
}

/** `10.0.0.1` as the addon has it: a 32-bit number, first octet highest. */
export function ipv4(text: string): number {
  return text.split('.').reduce((address, octet) => address * 256 + Number(octet), 0);
}

/** What napi_fatal_exception or an uncaught throw brings, kept from failing the running test. */
export function nextUncaughtException(): Promise<unknown> {
  return new Promise((resolve) => {
    process.setUncaughtExceptionCaptureCallback((error: unknown) => {
      process.setUncaughtExceptionCaptureCallback(null);
      resolve(error);
    });
  });
}
