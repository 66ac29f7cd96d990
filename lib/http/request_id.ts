/**
 * X-Request-Id: identifies an exchange in the logs of the client, the proxy and the upstream.
 *
 * @module
 */

/** Generates request ids: a random prefix makes them unique across processes, and a counter makes them cheap. */
export class RequestIds {
  readonly #prefix: string;
  #count = 0;

  /** @param random Random bytes that identify this process. */
  constructor(random: Uint8Array = crypto.getRandomValues(new Uint8Array(9))) {
    this.#prefix = Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  /** The next id: 18 hex digits that identify this process, then a counter. */
  next(): string {
    return this.#prefix + "-" + (this.#count++).toString(36);
  }
}

/** Whether an id from a trusted peer may be used in logs and header lines: 1 to 128 of `[A-Za-z0-9._:+/=@-]`. */
export function usableRequestId(id: string): boolean {
  return /^[A-Za-z0-9._:+/=@-]{1,128}$/.test(id);
}
