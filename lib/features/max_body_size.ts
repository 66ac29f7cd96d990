/**
 * The largest request body: of the route, else of its site, else of the server. A larger one is refused with 413, by its
 * Content-Length before any of it is read, or as soon as more bytes have arrived. The handler that reads a body asks:
 * requests without one have no cost, and those that are refused for another reason get that response.
 *
 * @module
 */

import { size } from "../config/fields.ts";
import type { BodyLimit } from "../exchange/filter.ts";
import type { Feature } from "./feature.ts";

/** `max_body_size`. */
export const maxBodySize = {
  key: "max_body_size",
  scopes: ["site", "route"],
  order: 150,
  schema: size().optional().describe("Largest request body; overrides the server's."),
  compile: (own, { server }) => {
    const maxBytes = own ?? server.max_body_size;
    return maxBytes === undefined ? undefined : { bodyLimit: new MaxBodySize(maxBytes) };
  },
} as const satisfies Feature<number | undefined>;

/** The limit of one site or route; keeps no state of a body. */
export class MaxBodySize implements BodyLimit {
  readonly #maxBytes: number;

  /** @param maxBytes Largest body that is accepted. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Refuses a body by its Content-Length. */
  announced(bytes: number): string | undefined {
    return bytes > this.#maxBytes ? `The body has ${bytes} bytes, more than ${this.#maxBytes}` : undefined;
  }

  /** Refuses a body, of unknown length or not, by the bytes that have arrived. */
  arrived(bytes: number): string | undefined {
    return bytes > this.#maxBytes ? `The client's body is larger than ${this.#maxBytes} bytes` : undefined;
  }
}
