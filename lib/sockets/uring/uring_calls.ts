/**
 * Requests to the kernel by a ring of io_uring, and its completions. Tests put requests that fail in place of
 * {@linkcode Ring}.
 *
 * Each request carries two words of its owner's, `low` and `high`, which come back with its completions; those with 0 are
 * nobody's. Descriptors are closed, and requests made, in the order in which they were put in the queue.
 *
 * @module
 */

/** Says that the request will have more completions. */
export const MORE = 1 << 1;
/** Says that a buffer was used, whose number stands in the upper 16 bits. */
export const BUFFER = 1;
/** Says that the kernel goes on to use that buffer. */
export const BUFFER_MORE = 1 << 4;

/** The requests and completions of one thread. */
export interface UringCalls {
  /** Words of the completions: each has `low`, `high`, the result (0 or more, or the negative number of an error), flags. */
  readonly completions: Int32Array<ArrayBuffer>;
  /** Whether requests wait to be seen by the kernel, or completions by this thread for which the queue had no room. */
  readonly pending: boolean;
  /** Receives bytes again and again, each time into a buffer of the kernel's choice. */
  receive(descriptor: number, low: number, high: number): void;
  /**
   * Sends the bytes as far as the system takes them at once, without the signal SIGPIPE. Completes only if not all were sent,
   * and then within the call of {@linkcode enter} that shows it to the kernel. Returns a number of the request.
   */
  send(descriptor: number, address: number, bytes: number, low: number, high: number): number;
  /** Changes the length of a send that the kernel has not seen yet. Returns false if it has. */
  lengthen(send: number, bytes: number): boolean;
  /** Waits for `events`, once or (edge triggered) again and again. */
  poll(descriptor: number, events: number, multishot: boolean, low: number, high: number): void;
  /** Ends the request with these words early, with ECANCELED. No completion of its own, unless it finds none. */
  cancel(low: number, high: number): void;
  /** Closes a descriptor. No completion unless it fails. */
  close(descriptor: number): void;
  /**
   * Shows the kernel all requests, and takes what has completed.
   *
   * @param waitUs How long to wait until something has, less than two seconds; 0 not to wait.
   * @returns How many requests the kernel has seen, or the negative number of an error.
   */
  enter(waitUs: number): number;
  /** How many completions have come. */
  available(): number;
  /** Where in {@linkcode completions} the one begins that has `before` others in front of it. */
  completion(before: number): number;
  /** The first completion has been read. */
  taken(): void;
  /** Wakes nobody from now on. */
  silence(): void;
  /** Wakes the loop from now on. Returns false if something is there already. */
  listen(): boolean;
}
