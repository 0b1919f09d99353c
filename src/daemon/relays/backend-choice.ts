/** Which backend a relay has: what it asks for, and what the kernel and its tools have. */
import { errorText } from '../../platform/errors.ts';
import type { RelayOptions } from '../../relay/relay-options.ts';
import { probeHelper } from '../../router/nat-helper.ts';
import type { RelayTable } from '../../router/relay-table.ts';
import { cause, type Cause } from '../../wire/cause.ts';

export type Backend = 'ebpf' | 'relay' | 'helper';

/** Why a backend is not possible; undefined: it is. */
export interface Lacks {
  /** Besides what `relay` lacks. */
  readonly ebpf: string | undefined;
  readonly relay: string | undefined;
  readonly helper: string | undefined;
}
export const NOTHING_LACKS: Lacks = { ebpf: undefined, relay: undefined, helper: undefined };

export function choose(
  wanted: RelayOptions['backend'],
  lacks: Lacks,
):
  | { readonly backend: Backend; readonly reason: string }
  | { readonly backend: undefined; readonly cause: Cause } {
  const configured = 'chosen by option backend';
  switch (wanted) {
    case 'ebpf': {
      const lack = lacks.relay ?? lacks.ebpf;
      return lack === undefined
        ? { backend: 'ebpf', reason: configured }
        : { backend: undefined, cause: cause('FIREWALL_FAILED', lack) };
    }
    case 'relay':
      return lacks.relay === undefined
        ? { backend: 'relay', reason: configured }
        : { backend: undefined, cause: cause('FIREWALL_FAILED', lacks.relay) };
    case 'helper':
      return lacks.helper === undefined
        ? { backend: 'helper', reason: configured }
        : { backend: undefined, cause: cause('HELPER_MISSING', lacks.helper) };
    case 'auto':
      if (lacks.relay === undefined)
        return lacks.ebpf === undefined
          ? { backend: 'ebpf', reason: 'the kernel has what it needs' }
          : { backend: 'relay', reason: `backend ebpf is not possible: ${lacks.ebpf}` };
      return lacks.helper === undefined
        ? { backend: 'helper', reason: `backend relay is not possible: ${lacks.relay}` }
        : {
            backend: undefined,
            cause: cause('FIREWALL_FAILED', `${lacks.relay}; ${lacks.helper}`),
          };
  }
}

/** What each backend lacks on this machine; only those are asked that somebody may want. */
export async function probeBackends(
  wanted: readonly RelayOptions[],
  table: RelayTable,
): Promise<Lacks> {
  const ask = async (probe: () => Promise<unknown>): Promise<string | undefined> => {
    try {
      await probe();
      return undefined;
    } catch (error) {
      return errorText(error);
    }
  };
  const relay = await ask(() => table.probe());
  const wantsHelper = wanted.some(
    ({ backend }) => backend === 'helper' || (backend === 'auto' && relay !== undefined),
  );
  return {
    ebpf: table.lacksShortcut,
    relay,
    helper: wantsHelper ? await ask(probeHelper) : undefined,
  };
}
