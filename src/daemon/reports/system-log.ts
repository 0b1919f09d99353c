/**
 * OpenWrt's logd, by its object `log` on the system's ubus: there a line has a severity and a name, which stderr does not
 * give it (procd makes everything daemon.err). A connection of its own: it is there before the daemon and after it.
 */
import { clock, program } from '../../platform/platform.ts';
import { UbusClient } from '../../ubus-js/index.ts';
import { formatLine, type Level } from './log.ts';

/** As syslog(3) has them. */
const DAEMON = 3 << 3;
export const severities: Readonly<Record<Level, number>> = {
  error: 3,
  warning: 4,
  info: 6,
  debug: 7,
};

/** Lines that are on their way; more go past it. */
const MAX_LINES = 256;
/** For the first connection, for an answer, and for the last lines; ms. */
const PATIENCE = 1_000;
const ANSWER = 5_000;

export class SystemLog {
  readonly #bus: UbusClient;
  readonly #otherwise: (line: string) => void;
  #isThere = false;
  readonly #lines = new Set<Promise<void>>();
  /** The first attempt has come to its end. */
  #settle: () => void = () => undefined;

  /** @param otherwise takes the lines, as they stand on stderr, that could not be delivered */
  constructor(path: string, otherwise: (line: string) => void) {
    this.#otherwise = otherwise;
    this.#bus = new UbusClient({
      path,
      onState: (state) => {
        this.#isThere = false;
        if (state === 'connected') void this.#look();
        else this.#settle();
      },
    });
    this.#bus.listen('ubus.object.add', (_event, data) => {
      if (data['path'] === 'log') this.#isThere = true;
    });
  }

  /** Resolved once it is known whether there is a logd, or after a second. */
  open(): Promise<void> {
    return new Promise((resolve) => {
      const timer = clock.after(PATIENCE, resolve);
      this.#settle = () => {
        clock.cancel(timer);
        resolve();
      };
      this.#bus.start();
    });
  }

  /** @returns false: the line is the caller's */
  take(level: Level, text: string): boolean {
    if (!this.#isThere || this.#lines.size >= MAX_LINES) return false;
    const line = this.#deliver(level, text).finally(() => this.#lines.delete(line));
    this.#lines.add(line);
    return true;
  }

  /** Waits a moment for what is on its way. */
  async close(): Promise<void> {
    this.#isThere = false;
    const late = new Promise<void>((resolve) => clock.meanwhile(PATIENCE, resolve));
    await Promise.race([Promise.all(this.#lines), late]);
    this.#bus.close(); // what is left fails, and goes the other way
    await Promise.all(this.#lines);
  }

  async #look(): Promise<void> {
    try {
      this.#isThere = (await this.#bus.lookup('log', { timeout: PATIENCE })).length > 0;
    } catch {
      // It is away again, or busy: lines go the other way until the next connection.
    }
    this.#settle();
  }

  async #deliver(level: Level, text: string): Promise<void> {
    try {
      const event = syslogLine(level, text, program.pid, new Date());
      await this.#bus.call('log', 'write', { event }, { timeout: ANSWER });
    } catch {
      this.#isThere = false; // until it is on the bus again
      this.#otherwise(formatLine(level, text));
    }
  }
}

/** As syslog(3) writes to /dev/log; logd takes off what stands before the name (RFC 3164 §4.1). */
export function syslogLine(level: Level, text: string, pid: number, date: Date): string {
  const words = date.toString(); // Thu Nov 26 2026 00:41:07 GMT…
  const time = `${words.slice(4, 10)} ${words.slice(16, 24)}`;
  return `<${DAEMON | severities[level]}>${time} pptp[${pid}]: ${text}`;
}
