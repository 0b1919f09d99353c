/** The good session: it never ends, answers every ping outside of troubles that stop packets, and carries every octet as it is. */
import type { Program } from '../../tools/lab.ts';
import { SERVER_INNER, type Daemon, type Stage } from './stage.ts';
import { until } from './until.ts';

/** So many pings later an answer does not come any more: 20 s. */
const LATE = 100;

export class GoodSession {
  /** Answered; unanswered outside of a trouble, which is a loss; unanswered in one. */
  pings = { answered: 0, lost: 0, excused: 0 };
  transfers = 0;
  /** What must not be. */
  readonly faults: string[] = [];
  private readonly stage: Stage;
  private readonly client: Daemon;
  callId: number | undefined;
  /** Sequence numbers that have no answer yet, and whether there was a trouble. */
  private readonly late = new Map<number, boolean>();
  private newest = 0;
  private troubles = 0;
  private programs: Program[] = [];

  constructor(stage: Stage, client: Daemon) {
    this.stage = stage;
    this.client = client;
  }

  async begin(): Promise<void> {
    const { stage } = this;
    await this.client.call('dial', { interface: 'office' });
    this.callId = await until('the good session is up', () => this.liveCallId());
    const server = stage.program('server', 'transfer.ts', 'serve', SERVER_INNER);
    await server.line(/serving/);
    const sender = stage.program('client', 'transfer.ts', 'send', SERVER_INNER);
    const ping = stage.lab.start(
      stage.namespace('client'),
      'ping',
      '-n',
      '-O',
      '-i',
      '0.2',
      SERVER_INNER,
    );
    this.programs = [server, sender, ping];
    sender.onLine((line) => this.heardRound(line));
    ping.onLine((line) => this.heardPing(line));
    await this.answers();
  }

  /** While `work` goes on, and until a ping is answered again, pings may be lost. */
  async excuse(work: () => Promise<void>): Promise<void> {
    this.troubles++;
    try {
      await work();
      await this.answers();
    } finally {
      this.troubles--;
    }
  }

  /** Another ping and another transfer come through, in the same session. */
  async answers(): Promise<void> {
    const { pings, transfers } = this;
    const { answered } = pings;
    await until(
      'pings and transfers through the good session',
      () => this.pings.answered > answered && this.transfers > transfers,
    );
    const callId = await this.liveCallId();
    if (callId !== this.callId)
      this.faults.push(`the good session is another one: call id ${callId}, not ${this.callId}`);
  }

  async end(): Promise<void> {
    for (const program of this.programs) program.signal('SIGKILL');
    await Promise.all(this.programs.map((program) => program.ended));
  }

  private async liveCallId(): Promise<number | undefined> {
    const { links } = await this.client.status();
    const office = links.find(({ name }) => name === 'office');
    return office?.state === 'up' ? office.session?.callid : undefined;
  }

  private heardPing(line: string): void {
    const [, sequence] = /icmp_seq=(\d+)/.exec(line) ?? [];
    if (sequence === undefined) return;
    const number = Number(sequence);
    if (line.includes('no answer yet')) this.late.set(number, this.troubles > 0);
    else if (line.includes('bytes from')) {
      this.late.delete(number);
      this.pings.answered++;
    }
    // Answers may come out of order; sequence numbers have 16 bits.
    if (((number - this.newest) & 0xffff) < 0x8000) this.newest = number;
    for (const [other, excused] of this.late) {
      if (((this.newest - other) & 0xffff) < LATE) break;
      this.late.delete(other);
      if (excused) this.pings.excused++;
      else this.pings.lost++;
    }
  }

  private heardRound(line: string): void {
    if (line.endsWith('right')) this.transfers++;
    else this.faults.push(`transfer: ${line}`);
  }
}
