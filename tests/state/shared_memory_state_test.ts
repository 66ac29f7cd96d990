// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertThrows } from "@std/assert";
import { fieldsWithin, LocalState } from "../../lib/state/shared_state.ts";
import { SharedMemoryState } from "../../lib/state/shared_memory_state.ts";

const SUPERVISOR = { index: 2, count: 3 };

Deno.test("SharedMemoryState gives workers the supervisor's fields, and the same ones for the same name", () => {
  const supervisor = new SharedMemoryState(SUPERVISOR);
  const fields = supervisor.take(4, "a");
  const one = new SharedMemoryState({ index: 0, count: 3 }, supervisor.table).take(4, "a");
  const two = new SharedMemoryState({ index: 1, count: 3 }, structuredClone(supervisor.table)).take(4, "a");
  Atomics.add(one, 3, 5);
  Atomics.add(two, 3, 6);
  assertEquals([...fields], [0, 0, 0, 11]);
  assertEquals([...supervisor.take(4, "a")], [0, 0, 0, 11]);
  assertEquals([...supervisor.take(4, "b")], [0, 0, 0, 0]);
});

Deno.test("SharedMemoryState refuses a worker what was not allotted, until it has learned of it", () => {
  const supervisor = new SharedMemoryState(SUPERVISOR);
  const worker = new SharedMemoryState({ index: 0, count: 3 }, supervisor.table);
  supervisor.take(2, "late").fill(7);
  assertThrows(() => worker.take(2, "late"), Error, 'Cannot share "fields late"');
  worker.learn(structuredClone(supervisor.table));
  assertEquals([...worker.take(2, "late")], [7, 7]);
});

Deno.test("SharedMemoryState never gives the same memory twice, across buffers too", () => {
  const supervisor = new SharedMemoryState(SUPERVISOR);
  const taken = Array.from({ length: 40 }, (_, index) => supervisor.take(20_001, `n${index}`));
  const { all } = supervisor.takeMetricFields(3, "numbers");
  taken.forEach((fields, index) => fields.fill(index + 1));
  all.forEach((slots, index) => slots.fill(-index - 1));
  assertEquals(taken.every((fields, index) => fields.every((field) => field === index + 1)), true);
  assertEquals(all.map((slots) => [...slots]), [[-1, -1, -1], [-2, -2, -2], [-3, -3, -3]]);
  assertEquals(supervisor.table.buffers.length > 1, true);
});

Deno.test("SharedMemoryState.takeMetricFields() gives each worker fields of its own, and all of them to whoever adds up", () => {
  const supervisor = new SharedMemoryState(SUPERVISOR);
  supervisor.takeMetricFields(2, "n");
  const states = [0, 1].map((index) => new SharedMemoryState({ index, count: 3 }, supervisor.table));
  states.forEach((sharedState, index) => sharedState.takeMetricFields(2, "n").own[1] = index + 1);
  assertEquals(supervisor.takeMetricFields(2, "n").all.map(([, second]) => second), [1, 2, 0]);
});

Deno.test("SharedMemoryState.fieldsBelow() finds all fields whose name begins so, and no metrics", () => {
  const supervisor = new SharedMemoryState(SUPERVISOR);
  supervisor.take(4, "a 1").fill(1);
  supervisor.take(5, "a 2").fill(2);
  supervisor.take(4, "b").fill(3);
  supervisor.takeMetricFields(4, "a 3");
  assertEquals(supervisor.fieldsBelow("a ").map((fields) => [fields[0], fields.length]), [[1, 4], [2, 5]]);
});

for (
  const [name, sharedState] of [["LocalState", new LocalState()], [
    "SharedMemoryState",
    new SharedMemoryState(SUPERVISOR),
  ]] as const
) {
  Deno.test(`${name}.retain() forgets all names but those that are given`, () => {
    const take = fieldsWithin(sharedState, "pool");
    take(2).fill(1);
    take(2).fill(2);
    sharedState.retain(new Set(["pool.1"]));
    assertEquals([...sharedState.take(2, "pool.1")], [2, 2]);
    assertEquals([...sharedState.take(2, "pool.0")], [0, 0]);
  });
}
