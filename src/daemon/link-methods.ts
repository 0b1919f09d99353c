/** What netifd's protocol handlers call. Answered at once: netifd waits for a handler, and kills a slow one. */
import type { Supervisor } from '../router/router.ts';
import { method, type ObjectDefinition } from '../ubus-js/index.ts';

export function linkMethods(supervisor: Supervisor): ObjectDefinition['methods'] {
  const name = { interface: 'string' } as const;
  return {
    link_setup: method(name, ({ interface: link }) => {
      supervisor.linkSetup(link);
      return {};
    }),
    link_teardown: method(name, ({ interface: link }) => {
      supervisor.linkTeardown(link);
      return {};
    }),
  };
}
