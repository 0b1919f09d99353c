/**
 * A module of Node's that few ask for, when they do: node:tls alone brings all of node:crypto, 2 MB of memory. The bundle is CommonJS and
 * has `require`; sources that run as ES modules (Node ≥ 20.16) have not, and node:module's would bring the loader of ES modules.
 */
export const builtin = (
  typeof require === 'function' ? require : process.getBuiltinModule.bind(process)
) as typeof process.getBuiltinModule;
