/** A program that was started in the place of another one takes over what that has left, or gives it back. */
import { errorText } from '../../platform/errors.ts';
import { clock, program } from '../../platform/platform.ts';
import type { Configuration } from '../configuration/configuration.ts';
import type { DaemonOptions } from '../daemon-options.ts';
import { Daemon } from '../daemon.ts';
import type { DaemonState } from '../daemon-state.ts';
import { version } from '../version.ts';
import { decodeDocument } from './document.ts';
import type { Inheritance } from './inheritance.ts';

/** @throws as Daemon.start, and what was inherited is lost then: its peers have been told */
export async function takeOver(
  inheritance: Inheritance,
  configuration: Configuration,
  options: DaemonOptions,
): Promise<Daemon> {
  const { log } = options;
  let state: DaemonState;
  let size: number;
  try {
    const document = inheritance.read();
    size = Math.ceil(document.length / 1000);
    state = decodeDocument(document, program.architecture) as DaemonState;
  } catch (error) {
    const why = errorText(error);
    inheritance.rollBack(`the state document of version ${version} is refused: ${why}`);
    log.line('error', `the sessions of the program before end, for their state is refused: ${why}`);
    inheritance.sayGoodbye();
    return Daemon.start(configuration, options);
  }
  let isWell = false as boolean;
  try {
    const daemon = await Daemon.resume(configuration, options, state, () => (isWell = true));
    inheritance.settle();
    const gap = Math.round(clock.monotonic() - state.savedAt);
    await daemon.resumeRelays();
    const sessions = state.packets.calls.length;
    if (inheritance.failed === undefined)
      log.line(
        'info',
        `upgrade from ${state.version} to ${version}: ${sessions} sessions go on, ${gap} ms, ${size} kB`,
      );
    else
      log.line(
        'error',
        `upgrade: the new program did not come up (${inheritance.failed}): version ${version} and ${sessions} sessions go on`,
      );
    return daemon;
  } catch (error) {
    if (!isWell) inheritance.rollBack(errorText(error));
    inheritance.sayGoodbye();
    throw error;
  }
}
