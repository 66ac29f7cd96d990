/**
 * X-Request-Id: one name for an exchange in the client's, the proxy's and the upstream's logs.
 *
 * @module
 */

/** Makes request ids: unique across processes by a random start, cheap by a counter. */
export class RequestIds {
  readonly #prefix: string;
  #count = 0;

  /** @param random Bytes that set this process apart. */
  constructor(random: Uint8Array = crypto.getRandomValues(new Uint8Array(9))) {
    this.#prefix = Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  /** The next id: 18 hex digits of this process, then a count. */
  next(): string {
    return this.#prefix + "-" + (this.#count++).toString(36);
  }
}

/** Whether an id that a trusted peer sent is fit for logs and header lines: 1 to 128 of `[A-Za-z0-9._:+/=@-]`. */
export function usableRequestId(id: string): boolean {
  return /^[A-Za-z0-9._:+/=@-]{1,128}$/.test(id);
}
