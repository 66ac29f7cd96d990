// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertLess, assertRejects } from "@std/assert";
import { AddressRace } from "../../lib/sockets/address_race.ts";
import { dial } from "../../lib/sockets/dial.ts";
import { parseEndpoint } from "../../lib/sockets/endpoint.ts";
import { TransportFailure } from "../../lib/failure/failure.ts";
import { interleaved } from "../../lib/sockets/host_addresses.ts";
import { BlackHole } from "../support/black_hole.ts";
import { until } from "../support/condition.ts";
import { ScriptedUpstream } from "../support/scripted_upstream.ts";

Deno.test("dial() leaves no socket, whenever it is broken off", async () => {
  await using upstream = ScriptedUpstream.start((peer) => peer.closed());
  const endpoint = parseEndpoint(upstream.url);
  for (let i = 0; i < 100; i++) {
    const stop = new AbortController();
    const dials = Array.from(
      { length: 10 },
      () => dial(endpoint, 5000, stop.signal).then((wire) => wire.close(), () => {}),
    );
    if (i % 3 === 0) queueMicrotask(() => stop.abort());
    else setTimeout(() => stop.abort(), i % 3);
    await Promise.all(dials);
  }
  await until("all connections are closed", () => upstream.open === 0);
});

Deno.test("dial() of an address that is silent ends with its time, and lets go of its socket", async () => {
  using hole = await BlackHole.open();
  const failure = await assertRejects(() => dial(parseEndpoint(hole.url), 100), TransportFailure);
  assertEquals(failure.kind, "connect_timeout");
  // The sanitizer of the test runner fails this test if the connection is still being opened when it ends.
  await new Promise((resolve) => setTimeout(resolve, 600));
});

Deno.test("dial() does not count the time in which the process was held up", async () => {
  await using upstream = ScriptedUpstream.start((peer) => peer.closed());
  const dialling = dial(parseEndpoint(upstream.url), 200);
  const endMs = performance.now() + 600;
  while (performance.now() < endMs);
  (await dialling).close();
});

/** Connects as `fates` says: `"silent"`, `"refused"`, or after so many milliseconds. */
function raceOf(fates: Record<string, "silent" | "refused" | number>) {
  const started: string[] = [];
  const closed: string[] = [];
  const race = new AddressRace(Object.keys(fates), (address) => {
    started.push(address);
    const { promise: conn, resolve, reject } = Promise.withResolvers<Deno.TcpConn>();
    const made = { address, close: () => closed.push(address) } as unknown as Deno.TcpConn;
    const fate = fates[address];
    if (fate === "refused") reject(new Error(`${address} refused`));
    else if (fate !== "silent") setTimeout(() => resolve(made), fate);
    return { conn, abandon: () => conn.then((late) => late.close(), () => {}) };
  });
  return { race, started, closed };
}

Deno.test("AddressRace tries the next address after a quarter of a second of silence", async () => {
  const { race, started } = raceOf({ a: "silent", b: 1, c: 1 });
  const startMs = performance.now();
  // The timers of a race keep no process alive.
  const alive = setTimeout(() => {}, 60_000);
  const won = await race.run() as unknown as { address: string };
  clearTimeout(alive);
  assertEquals([won.address, started], ["b", ["a", "b"]]);
  assertLess(performance.now() - startMs, 2000);
});

Deno.test("AddressRace tries the next address at once when one refuses, and closes those that come late", async () => {
  const { race, started, closed } = raceOf({ a: "refused", b: 400, c: 1 });
  const won = await race.run() as unknown as { address: string };
  assertEquals([won.address, started], ["c", ["a", "b", "c"]]);
  await until("the late one is closed", () => closed.length === 1);
  assertEquals(closed, ["b"]);
});

Deno.test("AddressRace fails with the first failure when all have failed", async () => {
  const { race } = raceOf({ a: "refused", b: "refused" });
  await assertRejects(() => race.run(), Error, "a refused");
});

Deno.test("interleaved() lets the address families take turns", () => {
  assertEquals(interleaved(["::1", "::2", "::3", "10.0.0.1", "10.0.0.2"]), [
    "::1",
    "10.0.0.1",
    "::2",
    "10.0.0.2",
    "::3",
  ]);
  assertEquals(interleaved(["10.0.0.1", "10.0.0.2", "::1"]), ["10.0.0.1", "::1", "10.0.0.2"]);
  assertEquals(interleaved(["10.0.0.1", "::1"]), ["10.0.0.1", "::1"]);
});
