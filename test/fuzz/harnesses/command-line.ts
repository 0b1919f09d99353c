/** Words of the command line: a command, or a usage error with its exit code. */
import assert from 'node:assert/strict';
import { parseArguments } from '../../../src/daemon/cli/arguments.ts';
import { ExitCode, Fatal } from '../../../src/daemon/exit-codes.ts';
import { harness } from '../harness.ts';

const words = [
  'run', 'status', 'sessions', 'disconnect', 'dial', 'hangup', 'check', 'failures', 'counters', 'capture', 'reload', 'import', 'version',
  '--json', '--config-dir', '--socket', '--ubus=', '--router', 'netifd', '--server', 'vpn.example.com:1723', '--seconds', '60', '-1', '1e9', '--secrets',
  '--help', '-h', '--', '-', '', '--__proto__', '__proto__', 'constructor', '--no-json', '--json=x', 'a:b:c', ':99999', 'anna', '\0',
]; // prettier-ignore

export const commandLine = harness({
  name: 'command-line',
  generate: (random) => ({
    words: random.list(6, () => (random.chance(8) ? random.word(words) : random.pick(words))),
  }),
  run({ words: given }) {
    try {
      const found = parseArguments(given);
      assert.ok(words.includes(found.command) || found.command === 'help', found.command);
      assert.ok(Number.isInteger(found.seconds) && found.seconds > 0);
      if (found.server !== undefined)
        assert.ok(found.server.host !== '' && Number.isInteger(found.server.port));
    } catch (error) {
      if (!(error instanceof Fatal)) throw error;
      assert.equal(error.exitCode, ExitCode.Usage);
    }
  },
});
