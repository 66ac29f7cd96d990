// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertThrows } from "@std/assert";
import { Counter } from "../../lib/metrics/counter.ts";
import { localNumbers, type Numbers, sumAt } from "../../lib/metrics/numbers.ts";
import { StatusCounters } from "../../lib/metrics/status_counters.ts";

/** Slots of three workers, of which this is the second. */
function numbersOfThree(count: number): Numbers {
  const all = [new Float64Array(count), new Float64Array(count), new Float64Array(count)];
  return { own: all[1], all };
}

Deno.test("localNumbers() gives the same slots for the same name, as a reload needs", () => {
  const take = localNumbers();
  new Counter(take(1, "a")).add(3);
  assertEquals(new Counter(take(1, "a")).value, 3);
  assertEquals(new Counter(take(1, "b")).value, 0);
  assertEquals(take(1, "a").all, [take(1, "a").own]);
  assertThrows(() => take(2, "a"), RangeError, 'Cannot take 2 slots as "a": it was taken with 1');
});

Deno.test("Counter writes its own slot only and reads the sum of all workers", () => {
  const numbers = numbersOfThree(3);
  numbers.all[0][1] = 10;
  numbers.all[2][1] = 100;
  const counter = new Counter(numbers, 1);
  counter.add();
  counter.add(0.5);
  assertEquals(counter.value, 111.5);
  assertEquals(numbers.all.map((slots) => [...slots]), [[0, 10, 0], [0, 1.5, 0], [0, 100, 0]]);
});

Deno.test("Counter never goes down and never becomes NaN", () => {
  const counter = new Counter(localNumbers()(1, "a"));
  for (const amount of [1, -1, NaN, 0]) counter.add(amount);
  assertEquals(counter.value, 1);
});

Deno.test("metrics refuse slots that do not exist, where a write would be lost", () => {
  for (const at of [1, -1, 0.5, NaN]) assertThrows(() => new Counter(localNumbers()(1, "a"), at), RangeError);
  assertThrows(() => new StatusCounters(localNumbers()(StatusCounters.SLOTS, "a"), 1), RangeError);
});

Deno.test("StatusCounters counts every status in its class, and in one only", () => {
  for (let status = -1; status <= 1000; status++) {
    const numbers = localNumbers()(StatusCounters.SLOTS + 2, "a");
    const counters = new StatusCounters(numbers, 1);
    counters.add(status);
    const expected = [0, 0, 0, 0, 0, 0];
    expected[status >= 100 && status <= 599 ? Math.floor(status / 100) : 0] = 1;
    assertEquals(counters.counts(), expected, String(status));
    assertEquals([numbers.own[0], numbers.own.at(-1)], [0, 0], "neighbours stay as they were");
  }
});

Deno.test("sumAt() adds up the slot of each worker", () => {
  const numbers = numbersOfThree(2);
  for (const [index, slots] of numbers.all.entries()) slots[1] = 10 ** index;
  assertEquals(sumAt(numbers, 1), 111);
});
