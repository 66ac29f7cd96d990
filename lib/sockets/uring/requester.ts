/**
 * Whoever makes requests to the kernel, and the kinds of requests.
 *
 * @module
 */

/** Bits of a request's first word that tell its kind; the others are the place of its requester. */
export const KIND_BITS = 3;
/** The kind in the first word of a request. */
export const KIND_MASK: number = (1 << KIND_BITS) - 1;

/** A send, of which a socket has one at a time. It completes only if not everything was sent. */
export const SEND = 1;
/** Receives bytes, again and again. */
export const RECEIVE = 2;
/** A poll for room to send. */
export const ROOM = 3;
/** A poll for the end of the peer, and for failures. */
export const PEER = 4;
/** A poll of a socket that listens or connects. */
export const WATCH = 5;
/** A poll of the runtime's reactor. */
export const REACTOR = 6;

/** Whoever makes requests. The loop knows it until the last one has completed. */
export interface Requester {
  /** A request of that kind has completed, or goes on where `flags` has MORE. It is not to throw. */
  completed(kind: number, result: number, flags: number): void;
}
