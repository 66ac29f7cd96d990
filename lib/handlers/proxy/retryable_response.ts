/**
 * An answer that the client does not get to see, since another attempt will be made.
 *
 * @module
 */

import { headerValue } from "../../http/header_lines.ts";
import type { UpstreamHead } from "../../http1/response_head.ts";

/** Thrown by an attempt whose answer is to be retried. */
export class RetryableResponse extends Error {
  override readonly name = "AnswerSetAside";
  /** Its status. */
  readonly status: number;
  /** How long the upstream asks to be left alone, in milliseconds; 0 when it does not. */
  readonly retryAfterMs: number;

  /** @param answer Its head; the body is not read. */
  constructor(answer: UpstreamHead) {
    super(`The upstream answered ${answer.status}`);
    this.status = answer.status;
    this.retryAfterMs = retryAfterMs(answer) ?? 0;
  }
}

/** What Retry-After says (RFC 9110, section 10.2.3), in milliseconds; undefined without one that can be read. */
export function retryAfterMs({ headers }: UpstreamHead): number | undefined {
  const value = headerValue(headers, "retry-after")?.trim();
  if (value === undefined) return undefined;
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}
