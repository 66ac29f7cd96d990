/**
 * The contract between an attempt and the request that it is made for.
 *
 * @module
 */

import type { HttpResponse } from "../../http/message.ts";
import type { ResponseHead } from "../../http1/response_head.ts";
import type { Upstream } from "../../upstream/upstream.ts";

/** Whether a response is dropped and another attempt is made in its place. */
export type ShouldRetry = (head: ResponseHead, upstream: Upstream) => boolean;

/** Notified of the result of an attempt: one of the functions is called, once. */
export interface AttemptListener {
  /**
   * Whether the response may have `passed` in place of the upstream's header lines.
   *
   * @default {false}
   */
  readonly takesPassed?: boolean;
  /** The head of the response has arrived. Its body may not have arrived yet. */
  responded(response: HttpResponse): void;
  /**
   * There is no response, it cannot be passed on, or another attempt replaces it (`RetryableResponse`). The listener
   * passes the error to `Attempt.failed`.
   */
  failed(error: unknown): void;
}
