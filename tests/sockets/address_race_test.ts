// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { AddressRace } from "../../lib/sockets/address_race.ts";
import type { Socket } from "../../lib/sockets/socket.ts";
import { until, within } from "../support/condition.ts";

/** What becomes of an address: it never answers, fails, or connects after so many milliseconds. */
type Fate = "silent" | "refused" | Error | number;

/** A race whose addresses fare as `fates` says. `given up` are those that were abandoned, `closed` those that connected then. */
function raceOf(fates: Record<string, Fate>) {
  const started: string[] = [];
  const givenUp: string[] = [];
  const closed: string[] = [];
  const paused: string[] = [];
  const race = new AddressRace(Object.keys(fates), (address, handler) => {
    started.push(address);
    let abandoned = false;
    const connected = () => {
      // What opens after it was abandoned is closed, as drivers do.
      if (abandoned) closed.push(address);
      else handler.connected({ address, pause: () => paused.push(address) } as unknown as Socket);
    };
    const refused = (error: Error) => abandoned || handler.refused(error);
    const fate = fates[address];
    if (fate === "refused") queueMicrotask(() => refused(new Error(`${address} refused`)));
    else if (fate instanceof Error) queueMicrotask(() => refused(fate));
    else if (fate !== "silent") setTimeout(connected, fate);
    return {
      abandon() {
        abandoned = true;
        givenUp.push(address);
      },
    };
  });
  return { race, started, givenUp, closed, paused };
}

/** What `conn` gives. The timers of a race keep no process alive, so one of its own does. */
async function alive(conn: Promise<Socket>): Promise<{ address: string }> {
  return await within(5000, "the race is over", conn) as unknown as { address: string };
}

Deno.test("AddressRace tries the next address after a quarter of a second of silence", async () => {
  const { race, started, paused } = raceOf({ a: "silent", b: 1, c: 1 });
  const won = await alive(race.run());
  assertEquals([won.address, started, paused], ["b", ["a", "b"], ["b"]]);
});

Deno.test("AddressRace tries the next address at once when one refuses, and closes those that come late", async () => {
  const { race, started, closed } = raceOf({ a: "refused", b: 400, c: 1 });
  const won = await alive(race.run());
  assertEquals([won.address, started], ["c", ["a", "b", "c"]]);
  await until("the late one is closed", () => closed.length === 1);
  assertEquals(closed, ["b"]);
});

Deno.test("AddressRace fails with the first failure when all have failed", async () => {
  const { race } = raceOf({ a: "refused", b: "refused" });
  await assertRejects(() => race.run(), Error, "a refused");
});

Deno.test("AddressRace connects only to the first address if that accepts, and starts no other", async () => {
  const { race, started, givenUp } = raceOf({ a: 1, b: 1 });
  assertEquals((await alive(race.run())).address, "a");
  assertEquals([started, givenUp], [["a"], []]);
});

Deno.test("AddressRace gives up the silent one when another has won", async () => {
  const { race, givenUp, closed } = raceOf({ a: "silent", b: 1 });
  assertEquals((await alive(race.run())).address, "b");
  assertEquals([givenUp, closed], [["a"], []]);
});

Deno.test("AddressRace waits for the one that is silent still when all others have failed", async () => {
  const { race, started } = raceOf({ a: 600, b: "refused", c: "refused" });
  assertEquals((await alive(race.run())).address, "a");
  assertEquals(started, ["a", "b", "c"]);
});

Deno.test("AddressRace fails with what this machine lacks, before failures of the addresses", async () => {
  const shortage = Object.assign(new Error("Too many open files (os error 24)"), { code: "EMFILE" });
  const { race } = raceOf({ a: "refused", b: shortage, c: "refused" });
  assertStrictEquals(await assertRejects(() => race.run(), Error), shortage);
});

Deno.test("AddressRace.abandon() gives up all that run and starts no more; what connects later is closed", async () => {
  const { race, started, givenUp, closed } = raceOf({ a: "silent", b: 400, c: 1 });
  let settled = false;
  race.run().then(() => settled = true, () => settled = true);
  await until("the second one is tried", () => started.length === 2);
  race.abandon();
  assertEquals(givenUp, ["a", "b"]);
  await until("the late one is closed", () => closed.length === 1);
  assertEquals([started, closed, settled], [["a", "b"], ["b"], false]);
});

Deno.test("AddressRace does not start another address when one fails after abandon()", async () => {
  const { race, started } = raceOf({ a: "refused", b: 1 });
  race.run();
  race.abandon();
  await new Promise((resolve) => setTimeout(resolve));
  assertEquals(started, ["a"]);
});
