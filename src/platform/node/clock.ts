import type { Clock, Timer } from '../clock.ts';

const opaque = (timer: NodeJS.Timeout) => timer as unknown as Timer;

/** From the kernel's clock, which goes on when another program takes the place of this one, to the time of this one. */
const before = Number(process.hrtime.bigint()) / 1e6 - performance.now();

export const clock: Clock = {
  monotonic: () => before + performance.now(),
  after: (milliseconds, act) => opaque(setTimeout(act, milliseconds)),
  meanwhile: (milliseconds, act) => opaque(setTimeout(act, milliseconds).unref()),
  every: (milliseconds, act) => opaque(setInterval(act, milliseconds).unref()),
  cancel: (timer) => clearTimeout(timer as unknown as NodeJS.Timeout | undefined),
  pause: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
};
