// @ts-types="../../../types/std/assert.d.ts"
import { assert, assertEquals, assertLess, assertStrictEquals } from "@std/assert";
import type { Candidate } from "../../../lib/upstream/balancer/policy.ts";
import { PartitionTable } from "../../../lib/upstream/balancer/partition_table.ts";
import { choose, seededRandom, testSeed } from "../../contract/seeded_random.ts";
import { assertProportions, TestUpstream, upstreamsOf } from "../../contract/policy_contract.ts";

const SLOT_STEP = 0x1_0000;
const PARTITIONS = 65_536;

function tableOf(upstreams: readonly Candidate[]): PartitionTable {
  const table = new PartitionTable();
  table.update(upstreams);
  return table;
}

/** The id of each partition's owner. */
function ownersOf(table: PartitionTable, upstreams: readonly Candidate[]): string[] {
  return Array.from({ length: PARTITIONS }, (_, partition) => upstreams[table.owner(partition * SLOT_STEP)].id);
}

function countsOf(owners: readonly string[], upstreams: readonly Candidate[]): number[] {
  const counts = new Map(upstreams.map(({ id }) => [id, 0]));
  for (const owner of owners) counts.set(owner, (counts.get(owner) ?? 0) + 1);
  return [...counts.values()];
}

Deno.test("PartitionTable gives partitions by weight", () => {
  for (const weights of [[1, 1], [1, 1, 1, 1, 1], [5, 1, 1], [1, 65_535], [1.5, 2.25, 1], [10, 20, 70]]) {
    const upstreams = upstreamsOf(...weights);
    assertProportions(countsOf(ownersOf(tableOf(upstreams), upstreams), upstreams), weights);
  }
  const many = upstreamsOf(...Array.from({ length: 500 }, (_, i) => 1 + i % 4));
  assertProportions(countsOf(ownersOf(tableOf(many), many), many), many.map(({ weight }) => weight));
});

Deno.test("PartitionTable.owner() is the upstream of the smallest distance", () => {
  const upstreams = upstreamsOf(3, 1, 1, 9, 2);
  const table = tableOf(upstreams);
  for (let partition = 0; partition < PARTITIONS; partition += 37) {
    const distances = upstreams.map((_, i) => table.distance(partition * SLOT_STEP, i));
    assertStrictEquals(table.owner(partition * SLOT_STEP), distances.indexOf(Math.min(...distances)));
  }
});

Deno.test("PartitionTable.update() moves only the partitions of whoever leaves, and back when it returns", () => {
  const upstreams = upstreamsOf(3, 1, 1, 2, 1, 1, 4, 1);
  const table = tableOf(upstreams);
  const before = ownersOf(table, upstreams);
  for (const gone of upstreams) {
    const rest = upstreams.filter((upstream) => upstream !== gone);
    table.update(rest);
    const without = ownersOf(table, rest);
    for (let partition = 0; partition < PARTITIONS; partition++) {
      if (before[partition] === gone.id) assert(without[partition] !== gone.id);
      else assertStrictEquals(without[partition], before[partition]);
    }
    table.update([gone, ...rest]);
    assertEquals(ownersOf(table, [gone, ...rest]), before);
    table.update(upstreams);
  }
});

Deno.test("PartitionTable.update() moves partitions only to an upstream whose weight grows, and by as much", () => {
  const upstreams = upstreamsOf(2, 2, 2, 2);
  const table = tableOf(upstreams);
  const before = ownersOf(table, upstreams);
  const heavier = [...upstreams.slice(0, 3), new TestUpstream(4, upstreams[3].id)];
  table.update(heavier);
  const after = ownersOf(table, heavier);
  const moved = before.flatMap((owner, partition) => owner === after[partition] ? [] : [after[partition]]);
  assertEquals([...new Set(moved)], [upstreams[3].id]);
  // From 2/8 to 4/10
  assertLess(Math.abs(moved.length / PARTITIONS - 0.15), 0.01);
});

Deno.test("PartitionTable.update() gives the same as a table built anew, whatever the changes", () => {
  const seed = testSeed();
  const random = seededRandom(seed);
  const all = upstreamsOf(...Array.from({ length: 30 }, () => 1));
  const table = new PartitionTable();
  for (let round = 0; round < 8; round++) {
    const now = all.filter(() => random() < 0.7)
      .map(({ id }) => new TestUpstream(choose(random, [1, 2, 2, 7]), id))
      .sort(() => random() - 0.5);
    if (now.length === 0) continue;
    table.update(now);
    assertEquals(ownersOf(table, now), ownersOf(tableOf(now), now), `BWS_TEST_SEED=${seed}`);
  }
});
