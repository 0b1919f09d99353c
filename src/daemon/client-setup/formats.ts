/** The kinds of machines that a set-up is written for. */
import type { ClientSetup } from './client-setup.ts';
import { networkManagerFile } from './network-manager.ts';
import { powerShellScript } from './powershell.ts';
import { routerOsScript } from './routeros.ts';

export interface SetupFormat {
  /** What its files' names end with. */
  readonly extension: string;
  readonly write: (setup: ClientSetup) => string;
}

export const setupFormats = {
  windows: { extension: 'ps1', write: powerShellScript },
  networkmanager: { extension: 'nmconnection', write: networkManagerFile },
  routeros: { extension: 'rsc', write: routerOsScript },
} as const satisfies Readonly<Record<string, SetupFormat>>;
export type SetupFormatName = keyof typeof setupFormats;

export function isSetupFormat(name: string): name is SetupFormatName {
  return Object.hasOwn(setupFormats, name);
}
