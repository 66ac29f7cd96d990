/**
 * Error responses of upstreams that get the error page, or BWS's own error response, in their place.
 *
 * @module
 */

import type { z } from "zod";
import type { Exchange } from "../exchange/exchange.ts";
import { ExchangeFailure, type Outcome } from "../exchange/exchange_failure.ts";
import type { Filter } from "../exchange/filter.ts";
import type { HttpResponse } from "../http/message.ts";
import { type StatusRange, within } from "../http/status_range.ts";
import { statusRanges } from "../upstream/config/status_range.ts";
import type { Feature } from "./feature.ts";

const schema = statusRanges().prefault([]).describe(
  'Statuses of error responses of upstreams, such as [404, "5xx"], that get the page of error_pages in their place, or BWS\'s ' +
    "own error response.",
);

/** `intercept_errors`. */
export const interceptErrors = {
  key: "intercept_errors",
  scopes: ["site", "route"],
  // Next to the handler, so that all others see the response that the client gets.
  order: 790,
  schema,
  check(statuses, report) {
    if (statuses.every(([from]) => from >= 400)) return;
    report.error([], { message: "a response below 400 is no error", expected: "statuses from 400 to 599" });
  },
  compile: (statuses) => statuses.length === 0 ? undefined : new InterceptErrors(statuses),
} as const satisfies Feature<z.output<typeof schema>>;

/** Fields of the upstream's response that clients need to go on. */
const KEPT: ReadonlySet<string> = new Set(["allow", "retry-after", "www-authenticate"]);

class InterceptErrors implements Filter {
  readonly #statuses: readonly StatusRange[];

  constructor(statuses: readonly StatusRange[]) {
    this.#statuses = statuses;
  }

  response(exchange: Exchange, response: HttpResponse): Outcome {
    const { status, headers, body } = response;
    if (!exchange.fromUpstream || !within(status, this.#statuses)) return response;
    if (body !== null && !(body instanceof Uint8Array)) body.cancel("An error page takes its place");
    const lines: string[] = [];
    for (let i = 0; i < headers.length; i += 2) {
      if (KEPT.has(headers[i].toLowerCase())) lines.push(headers[i], headers[i + 1]);
    }
    const owner = status < 500 ? "client" : "upstream";
    return new ExchangeFailure(status, `The upstream responded with ${status}`, { owner, lines });
  }
}
