/**
 * A response that the client does not get to see, since another attempt will be made.
 *
 * @module
 */

import { headerValue } from "../../http/header_lines.ts";
import type { ResponseHead } from "../../http1/response_head.ts";

/** Thrown by an attempt whose response is retried. */
export class RetryableResponse extends Error {
  override readonly name = "RetryableResponse";
  /** Its status. */
  readonly status: number;
  /** How long the upstream asks to be left alone, in milliseconds; 0 when it does not. */
  readonly retryAfterMs: number;

  /** @param head Its head; the body is not read. */
  constructor(head: ResponseHead) {
    super(`The upstream answered ${head.status}`);
    this.status = head.status;
    this.retryAfterMs = retryAfterMs(head) ?? 0;
  }
}

/** What Retry-After says (RFC 9110, section 10.2.3), in milliseconds; undefined without one that can be read. */
export function retryAfterMs({ headers }: ResponseHead): number | undefined {
  const value = headerValue(headers, "retry-after")?.trim();
  if (value === undefined) return undefined;
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}
