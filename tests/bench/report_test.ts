import { assertEquals } from "@std/assert";
import { COST, type Outcome, roundRatio } from "../../bench/report.ts";

function outcomes(...costs: (number | undefined)[]): Outcome[] {
  return costs.map((microseconds) =>
    microseconds === undefined ? { failure: "it ended" } : { figures: { microseconds, errors: [] } }
  );
}

Deno.test("roundRatio() is the median of the ratios of rounds, not the ratio of medians", () => {
  // The machine is slow in the second round, for both.
  assertEquals(roundRatio(outcomes(10, 30, 12), outcomes(10, 20, 10), COST), 1.2);
});

Deno.test("roundRatio() is undefined where a round failed or is missing", () => {
  assertEquals(roundRatio(outcomes(10, undefined), outcomes(10, 10), COST), undefined);
  assertEquals(roundRatio(outcomes(10), outcomes(10, 10), COST), undefined);
});
