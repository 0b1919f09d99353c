import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { LocalTime } from '../../src/router/local-time.ts';
import { folder } from '../daemon/cli/program.ts';

const NOON = Date.UTC(2026, 6, 1, 12);
const HOUR = 3_600_000;

test('by the rule of OpenWrt, else by what the runtime knows', (t) => {
  const configDir = folder(t);
  const system = (timezone: string) =>
    writeFileSync(
      join(configDir, 'system'),
      `config system\n\toption hostname 'OpenWrt'\n\toption timezone '${timezone}'\n`,
    );
  const runtime = -60_000 * new Date(NOON).getTimezoneOffset();
  assert.equal(new LocalTime(configDir).at(NOON), NOON + runtime);
  system('CET-1CEST,M3.5.0,M10.5.0/3');
  assert.equal(new LocalTime(configDir).at(NOON), NOON + 2 * HOUR);
  system('no rule');
  assert.equal(new LocalTime(configDir).at(NOON), NOON + runtime);
  writeFileSync(join(configDir, 'system'), "config 'a");
  assert.equal(new LocalTime(configDir).at(NOON), NOON + runtime);
});
