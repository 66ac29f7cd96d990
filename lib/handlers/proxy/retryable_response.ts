/**
 * A response that is not passed on to the client, because another attempt replaces it.
 *
 * @module
 */

import { headerValue } from "../../http/header_lines.ts";
import type { ResponseHead } from "../../http1/response_head.ts";

/** Thrown by an attempt whose response is retried. */
export class RetryableResponse extends Error {
  override readonly name = "RetryableResponse";
  readonly status: number;
  /** Value of Retry-After in milliseconds; 0 without one. */
  readonly retryAfterMs: number;

  /** @param head The head of the response; the body is not read. */
  constructor(head: ResponseHead) {
    super(`The upstream responded with ${head.status}`);
    this.status = head.status;
    this.retryAfterMs = retryAfterMs(head) ?? 0;
  }
}

/** Value of Retry-After (RFC 9110, section 10.2.3), in milliseconds; undefined when it is absent or malformed. */
export function retryAfterMs({ headers }: ResponseHead): number | undefined {
  const value = headerValue(headers, "retry-after")?.trim();
  if (value === undefined) return undefined;
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}
