/**
 * Numbers that must not be taken for one another. One with a name is refused where another is wanted; one without (a literal,
 * what a typed array or a bit operation gives) is taken for any.
 */
declare const brand: unique symbol;
type Branded<Name extends string> = number & { readonly [brand]?: Name };

/** An IPv4 address: a u32. */
export type Ipv4 = Branded<'Ipv4'>;
/** What tells the calls of two machines apart: a u16 (RFC 2637 §2.7). */
export type CallId = Branded<'CallId'>;
/** A session's place in the data path; -1: none. */
export type Slot = Branded<'Slot'>;
