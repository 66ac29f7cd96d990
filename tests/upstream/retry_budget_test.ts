// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { RetryBudget } from "../../lib/upstream/retry_budget.ts";
import { jump } from "../support/time_jump.ts";

/** How many retries there are at once. */
function drain(budget: RetryBudget, most = 5000): number {
  let count = 0;
  while (count < most && budget.withdraw()) count++;
  return count;
}

function deposit(budget: RetryBudget, times: number): void {
  for (let i = 0; i < times; i++) budget.deposit();
}

Deno.test("RetryBudget: retries are a share of the requests", () => {
  for (const [share, requests, retries] of [[0.2, 100, 20], [0.25, 10, 2], [2, 10, 20], [0, 1000, 0]]) {
    const budget = new RetryBudget({ budget: share, min_per_second: 0 });
    assertEquals(budget.withdraw(), false);
    deposit(budget, requests);
    assertEquals(drain(budget), retries, `${share} of ${requests}`);
  }
});

Deno.test("RetryBudget: some retries a second are allowed whatever the traffic, ten seconds' worth at the start", () => {
  const budget = new RetryBudget({ budget: 0, min_per_second: 10 });
  const first = drain(budget);
  assert(first >= 100 && first <= 110, `${first} at the start`);
  jump(3000);
  const later = drain(budget);
  assert(later >= 30 && later <= 40, `${later} after three seconds`);
});

Deno.test("RetryBudget: no more than a thousand retries are saved up", () => {
  const budget = new RetryBudget({ budget: 1, min_per_second: 1 });
  deposit(budget, 5000);
  jump(10_000_000);
  assertEquals(drain(budget), 1000);
});

Deno.test("RetryBudget: budgets over the same fields are one, and only the first fills it", () => {
  const fields = new Int32Array(4);
  const config = { budget: 1, min_per_second: 1 };
  const [one, two] = [new RetryBudget(config, () => fields), new RetryBudget(config, () => fields)];
  deposit(one, 5);
  const found = drain(two);
  assert(found >= 15 && found <= 17, `${found} for both`);
  assertEquals(drain(one), 0);
});
