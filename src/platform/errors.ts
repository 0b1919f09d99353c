/** Errors of the system, and what any error says. */

/** Why the system refused: 'ENOENT' and the like; undefined: it was not the system. */
export function errorCode(error: unknown): string | undefined {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  return typeof code === 'string' ? code : undefined;
}

export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
