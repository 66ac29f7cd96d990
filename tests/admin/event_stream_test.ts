// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertThrows } from "@std/assert";
import { EventStream } from "../../lib/admin/event_stream.ts";
import { readSnapshots } from "../../lib/admin/dashboard/page/snapshot_stream.js";
import { until } from "../support/condition.ts";
import { FakeWorld } from "../support/fake_world.ts";

const world = new FakeWorld({ pools: { "wéb": 2 } });
const maker = { make: ({ history = false } = {}) => world.snapshot(history) };

Deno.test("EventStream gives each watcher whole snapshots, the first with the history", async () => {
  const events = new EventStream(maker);
  const bodies = [events.open(), events.open()].map(({ body }) => readSnapshots(body as ReadableStream<Uint8Array>));
  for (const snapshots of bodies) assertEquals((await snapshots.next()).value?.history !== undefined, true);
  events.send();
  for (const snapshots of bodies) {
    const { value } = await snapshots.next();
    assertEquals([value?.pools[0].name, value?.history], ["wéb", undefined]);
  }
  events.close();
  for (const snapshots of bodies) assertEquals((await snapshots.next()).done, true);
});

Deno.test("EventStream makes nothing when nobody watches, and forgets who leaves", async () => {
  let made = 0;
  const events = new EventStream({ make: () => (made++, world.snapshot()) });
  events.send();
  assertEquals(made, 0);
  await events.open().body?.cancel();
  await until("the watcher is forgotten", () => events.watching === 0);
  events.send();
  assertEquals(made, 1);
});

Deno.test("a watcher that takes nothing holds three snapshots at the most, and is cut in the end", async () => {
  const events = new EventStream(maker);
  const response = events.open();
  const turn = () => new Promise((resolve) => setTimeout(resolve));
  for (let second = 0; second < 20; second++) {
    events.send();
    // The pipe to the body moves in between.
    await turn();
  }
  assertEquals(events.watching, 1);
  const snapshots = readSnapshots(response.body as ReadableStream<Uint8Array>);
  let held = 0;
  for (let waiting = false; !waiting;) {
    const next = snapshots.next().then(() => held++);
    for (let turns = 0; turns < 20; turns++) await turn();
    waiting = await Promise.race([next.then(() => false), turn().then(() => true)]);
  }
  assertEquals(held >= 1 && held <= 3, true, `${held} were held`);
  const other = events.open();
  for (let second = 0; second < 40; second++) {
    events.send();
    await turn();
  }
  assertEquals(events.watching, 0);
  assertEquals(await other.text().catch(() => "cut"), "cut");
  events.close();
  assertThrows(() => events.open(), Error, "watch already");
});
