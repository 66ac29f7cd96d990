/**
 * The tables `[sites.proxy.retries]` and `[sites.proxy.routes.retries]`.
 *
 * @module
 */

import type { z } from "zod";
import { duration, flag, integer, size, table } from "../../../config/fields.ts";
import { retryBudgetKeys } from "../../../upstream/config/retry_budget_schema.ts";
import { failureStatuses } from "../../../upstream/config/status_range.ts";

/** When requests are retried, by route. */
export const retriesKeys = {
  attempts: integer(1, 100).default(3).describe(
    "Maximum number of times that a request is sent. Upstreams that cannot be reached do not count: nothing was sent to them.",
  ),
  try_for: duration({ zero: true }).prefault(0).describe(
    "How long a request is retried while no upstream can be reached; 0 to try each upstream once.",
  ),
  backoff: duration({ zero: true }).prefault("25ms").describe(
    "Pause before a request goes to an upstream again, twice as long each time.",
  ),
  max_backoff: duration({ zero: true }).prefault("1s").describe("Longest pause."),
  retry_on: failureStatuses().prefault([]).describe(
    "Statuses after which a request with an idempotent method is retried, such as [502, 503, 504, 429].",
  ),
  retry_buffer: size().prefault("64KiB").describe("Request bodies up to this size are kept, to be sent again."),
  show_attempts: flag().default(false).describe("Send X-BWS-Attempts to the client."),
};

/** `[sites.proxy.retries]`: when requests are retried, and the retry budget of a pool, for all routes. */
export const retriesSchema = table({ ...retriesKeys, ...retryBudgetKeys });

/** When requests are retried, after defaults. */
export type RetriesConfig = z.output<z.ZodObject<typeof retriesKeys>>;
