/** Limits what strangers can write into the log: some lines at once, then one a second; the others are counted. */

const BURST = 20;
const INTERVAL = 1_000; // ms

export class Strangers {
  private allowance = BURST;
  private filled = 0;
  private omitted = 0;

  /** @returns whether there may be a line, and how many were left out since the last one */
  admit(now: number): { readonly omitted: number } | undefined {
    this.allowance = Math.min(BURST, this.allowance + (now - this.filled) / INTERVAL);
    this.filled = now;
    if (this.allowance < 1) {
      this.omitted++;
      return undefined;
    }
    this.allowance--;
    const { omitted } = this;
    this.omitted = 0;
    return { omitted };
  }
}
