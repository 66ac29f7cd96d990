/**
 * Header lines of responses to requests that could not be forwarded.
 *
 * @module
 */

import type { Exchange } from "../../exchange/exchange.ts";
import type { ForwardFailure } from "./forward_failure.ts";
import type { RetryOptions } from "./retry.ts";

/** The lines, `[name, value, …]`. */
export function failureLines(failure: ForwardFailure, exchange: Exchange, retries: RetryOptions): string[] {
  const lines: string[] = [];
  if (failure.status === 503) lines.push("retry-after", String(failure.retryAfterSeconds));
  if (failure.status === 408) lines.push("connection", "close");
  if (retries.showAttempts) lines.push("x-bws-attempts", String(exchange.attempts));
  return lines;
}
