/**
 * Header lines of responses to requests that could not be forwarded.
 *
 * @module
 */

import type { Exchange } from "../../exchange/exchange.ts";
import type { ForwardFailure } from "./forward_failure.ts";
import type { RetriesConfig } from "./config/retries_schema.ts";

/** The lines, `[name, value, …]`. */
export function failureLines(failure: ForwardFailure, exchange: Exchange, retries: RetriesConfig): string[] {
  const lines: string[] = [];
  if (failure.status === 503) lines.push("retry-after", String(failure.retryAfterSeconds));
  if (failure.status === 408) lines.push("connection", "close");
  if (retries.show_attempts) lines.push("x-bws-attempts", String(exchange.attempts));
  return lines;
}
