/** kill -9, again and again: nothing is left that the next start does not put right, and a login gets in at once. */
import { execFileSync } from 'node:child_process';
import { VICTIM_INNER, type Daemon, type Stage } from './stage.ts';
import { until } from './until.ts';

export class Kills {
  count = 0;
  readonly faults: string[] = [];
  private readonly stage: Stage;
  private readonly victim: Daemon;
  private readonly client: Daemon;
  /** What the kernel has with the daemon running and one caller, and without it. */
  private whole = '';
  private bare = '';
  private running: Promise<void> = Promise.resolve();

  constructor(stage: Stage, victim: Daemon, client: Daemon) {
    this.stage = stage;
    this.victim = victim;
    this.client = client;
  }

  async begin(): Promise<void> {
    this.bare = this.kernel();
    await this.victim.start();
    await this.login();
    this.whole = await this.settled();
  }

  /** One after the other, whoever asks. */
  kill(): Promise<void> {
    const turn = this.running.then(() => this.turn());
    this.running = turn.catch(() => undefined);
    return turn;
  }

  private async turn(): Promise<void> {
    await this.victim.kill();
    await until('the link has noticed', async () => (await this.branch())?.state !== 'up');
    await this.victim.start();
    await this.login();
    this.count++;
    const now = await this.settled();
    if (now !== this.whole)
      this.faults.push(`after kill ${this.count}: ${difference(this.whole, now)}`);
  }

  async end(): Promise<void> {
    await this.client.call('hangup', { interface: 'branch' });
    await this.victim.stop();
    const now = this.kernel();
    if (now !== this.bare) this.faults.push(`after the end: ${difference(this.bare, now)}`);
  }

  private async branch() {
    const { links } = await this.client.status();
    return links.find(({ name }) => name === 'branch');
  }

  private async login(): Promise<void> {
    await this.client.call('dial', { interface: 'branch' });
    await until('a login at the victim', async () => (await this.branch())?.state === 'up');
    const { code, output } = await this.stage.lab.run(
      this.stage.namespace('client'),
      'ping',
      '-n',
      '-c',
      '1',
      '-w',
      '60',
      VICTIM_INNER,
    );
    if (code !== 0) this.faults.push(`no ping to the victim after ${this.count} kills: ${output}`);
  }

  /** Once two looks in a row see the same. */
  private async settled(): Promise<string> {
    let before = '';
    return until('the kernel comes to rest', () => {
      const now = this.kernel();
      const same = now === before && now;
      before = now;
      return same;
    });
  }

  /** Addresses, links, routes, rules, proxy ARP and packet filter of the victim's namespace, without numbers that change. */
  private kernel(): string {
    const { stage } = this;
    const parts = [
      '-br link',
      '-br address',
      'route show table all',
      'rule',
      'neighbour show proxy',
    ].map((words) => stage.ip('victim', words));
    const nft = execFileSync(
      'ip',
      ['netns', 'exec', stage.namespace('victim'), 'nft', 'list', 'ruleset'],
      { encoding: 'utf8' },
    );
    return [...parts, nft]
      .join('')
      .replaceAll(/fe80::[0-9a-f:]+/g, 'fe80::x')
      .replaceAll(/192\.168\.98\.(?!1\b|0\b|255\b)\d+/g, 'a caller')
      .replaceAll(/@if\d+/g, '')
      .split('\n')
      .map((line) => line.trimEnd())
      .sort()
      .join('\n');
  }
}

/** Lines that are gone and lines that are new. */
function difference(before: string, after: string): string {
  const [old, now] = [before.split('\n'), after.split('\n')];
  const gone = old.filter((line) => !now.includes(line)).map((line) => `- ${line}`);
  return [...gone, ...now.filter((line) => !old.includes(line)).map((line) => `+ ${line}`)].join(
    '; ',
  );
}
