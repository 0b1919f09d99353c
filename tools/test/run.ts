/**
 * Runs the test files that it is given: those that may share a process in one, which loads what they test but once; then each of the
 * others in one of its own. A file that exceeds its time (ten times what a slow machine needs) hangs: that is a failure, with
 * its name.
 * `--coverage`: how much of src the first ones reach is held to floors.json; `--show`: and shown, file by file, without the others.
 */
import { spawn } from 'node:child_process';
import { parseArgs } from 'node:util';
import { forgetCoverage, holdFloors, measured, showCoverage } from './coverage.ts';
import { hasOwnProcess } from './own-process.ts';

/** ms */
const TIME_LIMIT = 600_000;

const { values, positionals: files } = parseArgs({
  allowPositionals: true,
  options: { coverage: { type: 'boolean' }, show: { type: 'boolean' } },
});
const own = files.filter((file) => hasOwnProcess(file));
const shared = files.filter((file) => !own.includes(file));
const results: boolean[] = [];
if (shared.length > 0) results.push(await runShared());
if (values.coverage === true && results[0] === true) results.push(holdFloors());
if (values.show === true) showCoverage();
else if (own.length > 0) results.push(await runOwn());
process.exitCode = results.every(Boolean) ? 0 : 1;

/** The process tells which file's turn it is. */
function runShared(): Promise<boolean> {
  const program = `${import.meta.dirname}/shared.ts`;
  if (values.coverage === true) forgetCoverage();
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', '--test-reporter=spec', program, ...shared],
    {
      stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
      env: { ...process.env, ...(values.coverage === true ? measured : {}) },
    },
  );
  let current = program;
  const timer = setTimeout(() => {
    process.stderr.write(`${current} hangs\n`);
    child.kill('SIGKILL');
  }, TIME_LIMIT);
  child.on('message', (file: string) => {
    current = file;
    timer.refresh();
  });
  return new Promise((done) => {
    child.once('close', (code) => {
      clearTimeout(timer);
      if (code !== 0) process.stderr.write(`failed; the last file was ${current}\n`);
      done(code === 0);
    });
  });
}

function runOwn(): Promise<boolean> {
  const options = ['--test', '--test-concurrency=1', `--test-timeout=${TIME_LIMIT}`];
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', ...options, '--test-reporter=spec', ...own],
    { stdio: 'inherit' },
  );
  return new Promise((done) => child.once('close', (code) => done(code === 0)));
}
