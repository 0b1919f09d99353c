/** Recording packets: one capture at a time, in a folder of ours; the last files stay until the next start. */
import type { Timer } from '../../platform/clock.ts';
import { clock, files } from '../../platform/platform.ts';
import { method, UbusError } from '../../ubus-js/index.ts';
import { Capture } from '../capture/capture.ts';
import type { Daemon } from '../daemon.ts';
import type { CaptureDocument, RecordingDocument } from '../reports/documents.ts';

const BYTES = 16 << 20;
const BYTES_MAX = 256 << 20;
const SECONDS = 600;
const SECONDS_MAX = 2 * 86_400;

export function captureMethods(captures: Captures) {
  const start = (secrets: boolean) =>
    method(
      { seconds: 'int32?', bytes: 'int32?' },
      ({ seconds = SECONDS, bytes = BYTES }: { seconds?: number; bytes?: number }) => {
        for (const [name, value] of Object.entries({ seconds, bytes }))
          if (value < 1)
            throw new UbusError('INVALID_ARGUMENT', `expected ${name} (a positive number)`);
        return captures.start(Math.min(seconds, SECONDS_MAX), Math.min(bytes, BYTES_MAX), secrets);
      },
    );
  return {
    capture_start: start(false),
    // Apart, and in files of another name: ACLs tell methods and files, not arguments.
    capture_secrets: start(true),
    capture_stop: method({}, () => captures.stop()),
  };
}

export class Captures {
  readonly #daemon: Daemon;
  readonly #dir: string;
  #current: { capture: Capture; timer: Timer; since: number; end: number } | undefined;
  /** The last one, whose time was over before anybody stopped it. */
  #finished: CaptureDocument | undefined;

  constructor(daemon: Daemon, dir: string) {
    this.#daemon = daemon;
    this.#dir = dir;
  }

  start(seconds: number, bytes: number, secrets: boolean): { path: string } {
    if (this.#current !== undefined)
      throw new UbusError('UNKNOWN_ERROR', 'a capture is running already: stop it first');
    files.makeFolder(this.#dir);
    for (const old of files.names(this.#dir))
      if (/^(capture|secrets)-\d+\.pcap$/.test(old)) files.remove(files.join(this.#dir, old));
    const name = `${secrets ? 'secrets' : 'capture'}-${Date.now()}.pcap`;
    const capture = new Capture(files.join(this.#dir, name), bytes, secrets);
    const { faults } = this.#daemon.ports;
    const stop = () => faults.contain('capture', () => (this.#finished = this.stop()));
    const timer = clock.meanwhile(seconds * 1000, stop);
    const since = Date.now();
    this.#current = { capture, timer, since, end: clock.monotonic() + seconds * 1000 };
    this.#finished = undefined;
    this.#daemon.io.capture = capture;
    return { path: capture.path };
  }

  running(): RecordingDocument | undefined {
    if (this.#current === undefined) return undefined;
    const { capture, since, end } = this.#current;
    return {
      path: capture.path,
      since: Math.round(since / 1000),
      packets: capture.packets,
      seconds_left: Math.max(0, Math.round((end - clock.monotonic()) / 1000)),
    };
  }

  /** One whose time was over is answered once, too. */
  stop(): CaptureDocument {
    if (this.#current === undefined) {
      const finished = this.#finished;
      this.#finished = undefined;
      if (finished === undefined) throw new UbusError('NOT_FOUND', 'no capture is running');
      return finished;
    }
    const { capture, timer } = this.#current;
    clock.cancel(timer);
    this.#daemon.io.capture = undefined;
    this.#current = undefined;
    capture.close();
    const { path, packets, omitted, fault } = capture;
    return { path, packets, omitted, ...(fault === undefined ? {} : { fault }) };
  }
}
