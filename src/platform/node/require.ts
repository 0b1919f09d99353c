import { createRequire } from 'node:module';

/** For the addon, and for what few ask of Node: node:tls alone brings all of node:crypto, 2 MB of memory. */
export const require = createRequire(import.meta.url);
