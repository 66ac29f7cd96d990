/**
 * The keys of `[sites.proxy.retries]` that limit the retries of a pool.
 *
 * @module
 */

import { z } from "zod";
import { integer } from "../../config/fields.ts";

const BUDGET = "a share from 0 to 10";

/** The retry budget of each pool. */
export const retryBudgetKeys = {
  budget: z.number({ error: BUDGET }).min(0, { error: BUDGET }).max(10, { error: BUDGET }).default(0.2).describe(
    "Retries for each request of the pool, as a share.",
  ),
  min_per_second: integer(0, 1_000_000).default(10).describe("Retries a second that are allowed whatever the traffic."),
};

/** How large a retry budget is, after defaults. */
export type RetryBudgetConfig = z.output<z.ZodObject<typeof retryBudgetKeys>>;
