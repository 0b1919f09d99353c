/** What of a value is plain data, which can be written down and read again; `never` where it is not. */
export type Plain<T> = T extends string | number | boolean | undefined | Uint8Array
  ? T
  : T extends (...args: never) => unknown
    ? never
    : T extends object
      ? { [K in keyof T]: Plain<T[K]> }
      : never;
