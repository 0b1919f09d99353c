import type { Clock, Timer } from '../clock.ts';

const opaque = (timer: NodeJS.Timeout) => timer as unknown as Timer;

export const clock: Clock = {
  monotonic: () => performance.now(),
  after: (milliseconds, act) => opaque(setTimeout(act, milliseconds)),
  meanwhile: (milliseconds, act) => opaque(setTimeout(act, milliseconds).unref()),
  every: (milliseconds, act) => opaque(setInterval(act, milliseconds).unref()),
  cancel: (timer) => clearTimeout(timer as unknown as NodeJS.Timeout | undefined),
  pause: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
};
