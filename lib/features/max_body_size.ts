/**
 * The largest request body: of the route, else of its site, else of the server. `handlers/proxy/body_framing.ts`
 * refuses a larger Content-Length, `handlers/proxy/request_body.ts` a body that turns out to be larger; both with 413.
 *
 * @module
 */

import type { Exchange } from "../exchange/exchange.ts";
import type { Filter } from "../exchange/filter.ts";
import { size } from "../config/fields.ts";
import type { Feature } from "./feature.ts";

/** `max_body_size`. */
export const maxBodySize = {
  key: "max_body_size",
  scopes: ["site", "route"],
  order: 150,
  schema: size().optional().describe("Largest request body; overrides the server's."),
  compile: (maxBytes, { server }) => {
    const bytes = maxBytes ?? server.max_body_size;
    return bytes === undefined ? undefined : new BodyBound(bytes);
  },
} as const satisfies Feature<number | undefined>;

class BodyBound implements Filter {
  readonly #maxBytes: number;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Sets the limit of the exchange. */
  request(exchange: Exchange): undefined {
    exchange.maxBodyBytes = this.#maxBytes;
  }
}
