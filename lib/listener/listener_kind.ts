/**
 * The kinds of listeners that serve ports.
 *
 * @module
 */

/** BWS's own listener, and the runtime's server. */
export const LISTENER_KINDS = ["own", "runtime"] as const;

/** A kind of listener, as in `[server] listener`. */
export type ListenerKind = typeof LISTENER_KINDS[number];
