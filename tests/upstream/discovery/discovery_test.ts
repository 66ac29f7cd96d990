// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals, assertThrows } from "@std/assert";
import type { DiscoveredAddress } from "../../../lib/upstream/discovery/addresses.ts";
import { Discovery, type DiscoveryOptions, type Found } from "../../../lib/upstream/discovery/discovery.ts";
import { HostFinder } from "../../../lib/upstream/discovery/host_finder.ts";
import { NameResolver } from "../../../lib/upstream/discovery/name_resolver.ts";
import { until, within } from "../../support/condition.ts";
import { DnsServer } from "../../support/dns_server.ts";
import { ManualTime } from "./manual_time.ts";

type HttpResponse = Found | Error | "nothing";

/** A Discovery whose finder answers what `answer` is at the time. */
class Watched {
  answer: HttpResponse;
  readonly time = new ManualTime();
  /** Moments of look-ups, in milliseconds. */
  readonly lookups: number[] = [];
  readonly changes: string[][] = [];
  readonly log: string[] = [];
  mostAtATime = 0;
  aborted = 0;
  readonly discovery: Discovery;
  #underWay = 0;

  constructor(answer: HttpResponse, options: Partial<DiscoveryOptions> = {}) {
    this.answer = answer;
    this.discovery = new Discovery({
      name: "http://api.test",
      finder: { find: (signal) => this.#find(signal) },
      onChange: (addresses) => this.changes.push(addresses.map(text)),
      log: { log: (level, message, fields) => this.log.push(`${level} ${message} ${fields?.known ?? ""}`.trim()) },
      time: this.time,
      ...options,
    });
  }

  async #find(signal: AbortSignal): Promise<Found> {
    this.lookups.push(this.time.nowMs());
    signal.addEventListener("abort", () => this.aborted++);
    this.mostAtATime = Math.max(this.mostAtATime, ++this.#underWay);
    try {
      if (this.answer === "nothing") return await new Promise((_, reject) => (signal.onabort = () => reject("late")));
      if (this.answer instanceof Error) throw this.answer;
      return await Promise.resolve(this.answer);
    } finally {
      this.#underWay--;
    }
  }
}

function text({ hostname, port, weight, priority }: DiscoveredAddress): string {
  return `${hostname} ${port} w${weight} p${priority}`;
}

function found(hostnames: string[], ttlMs?: number): Found {
  return { addresses: hostnames.map((hostname) => ({ hostname, port: 80, weight: 1, priority: 0 })), ttlMs };
}

const BROKEN = new Error("SERVFAIL");
const ABSENT = found([]);

Deno.test("Discovery.start() gives the first addresses, in order and each once", async () => {
  const address = { hostname: "10.0.0.2", port: 80, weight: 1, priority: 0 };
  const addresses = [
    { ...address, hostname: "fd00::1" },
    address,
    { ...address, hostname: "10.0.0.1", port: 81 },
    { ...address, hostname: "10.0.0.1" },
    { ...address, priority: 1, weight: 9 },
    { ...address, hostname: "10.0.0.9", priority: 1 },
    { ...address, hostname: "10.0.0.9", priority: 1, weight: 5 },
  ];
  const watched = new Watched({ addresses, ttlMs: 5000 });
  assertEquals(await watched.discovery.start(), true);
  assertEquals(watched.changes, [[
    "10.0.0.1 80 w1 p0",
    "10.0.0.1 81 w1 p0",
    "10.0.0.2 80 w1 p0",
    "fd00::1 80 w1 p0",
    "10.0.0.9 80 w5 p1",
  ]]);
  assertEquals(watched.discovery.addresses.map(text), watched.changes[0]);
  watched.discovery.stop();
});

Deno.test("Discovery says when the set has changed, and only then", async () => {
  const watched = new Watched(found(["10.0.0.1", "10.0.0.2"], 1000));
  await watched.discovery.start();
  watched.answer = found(["10.0.0.2", "10.0.0.1"], 2000);
  await watched.time.advance(1000);
  assertEquals([watched.lookups.length, watched.changes.length], [2, 1]);
  watched.answer = found(["10.0.0.2", "10.0.0.3"], 2000);
  await watched.time.advance(2000);
  assertEquals(watched.changes.slice(1), [["10.0.0.2 80 w1 p0", "10.0.0.3 80 w1 p0"]]);
  const [first, second] = found(["10.0.0.2", "10.0.0.3"]).addresses;
  for (const heavier of [{ ...second, weight: 3 }, { ...second, priority: 3 }, { ...second, port: 3 }]) {
    watched.answer = { addresses: [first, heavier], ttlMs: 2000 };
    await watched.time.advance(2000);
  }
  assertEquals(watched.changes.slice(2).map((change) => change[1] ?? ""), [
    "10.0.0.3 80 w3 p0",
    "10.0.0.3 80 w1 p3",
    "10.0.0.3 3 w1 p0",
  ]);
  watched.discovery.stop();
});

Deno.test("Discovery looks again after the TTL within its bounds, or at its interval, spread by a tenth at most", async () => {
  const cases: { ttlMs?: number; intervalMs?: number; chance?: number; dueMs: number }[] = [
    { ttlMs: 0, dueMs: 1000 },
    { ttlMs: 7000, dueMs: 7000 },
    { ttlMs: 86_400_000, dueMs: 300_000 },
    { dueMs: 30_000 },
    { ttlMs: 7000, intervalMs: 250, dueMs: 250 },
    { ttlMs: 7000, intervalMs: 900_000, dueMs: 900_000 },
    { ttlMs: 10_000, chance: 0.5, dueMs: 10_500 },
    { ttlMs: 10_000, chance: 0.999, dueMs: 10_999 },
  ];
  for (const { ttlMs, intervalMs, chance, dueMs } of cases) {
    const watched = new Watched(found(["10.0.0.1"], ttlMs), { intervalMs });
    watched.time.chance = chance ?? 0;
    await watched.discovery.start();
    await watched.time.advance(dueMs - 1);
    assertEquals(watched.lookups, [0]);
    await watched.time.advance(2);
    assertEquals(watched.lookups.length, 2);
    watched.discovery.stop();
  }
});

Deno.test("Discovery keeps the last addresses while look-ups fail, however long, asks less often, and says so once", async () => {
  const watched = new Watched(found(["10.0.0.1"], 5000));
  await watched.discovery.start();
  watched.answer = BROKEN;
  await watched.time.advance(5000 + 3_600_000);
  assertEquals(watched.lookups.slice(1, 9).map((ms) => (ms - 5000) / 1000), [0, 1, 3, 7, 15, 31, 61, 91]);
  assertEquals([watched.changes.length, watched.discovery.addresses.length], [1, 1]);
  assertEquals(watched.log, ["warn Cannot find the addresses of an upstream 1"]);
  watched.answer = found(["10.0.0.1"], 5000);
  await watched.time.advance(40_000);
  watched.answer = BROKEN;
  const before = watched.lookups.length;
  await watched.time.advance(5000 + 1000);
  assertEquals(watched.lookups.length - before >= 2, true, "the pause between look-ups begins small again");
  assertEquals(watched.log.slice(1), [
    "info The addresses of an upstream are found again 1",
    "warn Cannot find the addresses of an upstream 1",
  ]);
  assertEquals(watched.changes.length, 1);
  watched.discovery.stop();
});

Deno.test("Discovery drops the last addresses of a name that is gone after a while, and takes new ones at once", async () => {
  const watched = new Watched(found(["10.0.0.1"], 5000));
  await watched.discovery.start();
  watched.answer = ABSENT;
  await watched.time.advance(5000 + 59_999);
  // Failures in between neither count nor start the time anew.
  watched.answer = BROKEN;
  await watched.time.advance(3_600_000);
  assertEquals(watched.changes.length, 1);
  watched.answer = ABSENT;
  await watched.time.advance(30_000);
  assertEquals([watched.changes.slice(1), watched.discovery.addresses], [[[]], []]);
  await watched.time.advance(600_000);
  assertEquals(watched.changes.length, 2);
  assertEquals(watched.log, [
    "warn Cannot find the addresses of an upstream 1",
    "warn An upstream has had no address for too long: its last ones are dropped",
  ]);
  watched.answer = found(["10.0.0.2"], 5000);
  await watched.time.advance(30_000);
  assertEquals(watched.changes.slice(2), [["10.0.0.2 80 w1 p0"]]);
  assertEquals(watched.log.slice(2), ["info The addresses of an upstream are found again 1"]);
  watched.discovery.stop();
});

Deno.test("Discovery drops the last addresses of a name that is gone within 60 s and a pause", async () => {
  const watched = new Watched(found(["10.0.0.1"], 5000));
  await watched.discovery.start();
  watched.answer = ABSENT;
  await watched.time.advance(5000 + 60_000 - 1);
  assertEquals(watched.changes.length, 1);
  await watched.time.advance(30_000);
  assertEquals(watched.changes.slice(1), [[]]);
  watched.discovery.stop();
});

Deno.test("Discovery that finds a name again in time has dropped nothing, and its patience is whole again", async () => {
  const watched = new Watched(found(["10.0.0.1"], 5000));
  await watched.discovery.start();
  for (let round = 0; round < 3; round++) {
    watched.answer = ABSENT;
    await watched.time.advance(45_000);
    watched.answer = found(["10.0.0.1"], 5000);
    await watched.time.advance(31_000);
  }
  assertEquals(watched.changes.length, 1);
  watched.discovery.stop();
});

Deno.test("Discovery.start() does not wait for a name that does not exist, but goes on looking", async () => {
  const watched = new Watched(ABSENT);
  assertEquals(await watched.discovery.start(), false);
  assertEquals([watched.time.nowMs(), watched.changes.length], [0, 0]);
  watched.answer = found(["10.0.0.1"]);
  await watched.time.advance(1000);
  assertEquals(watched.changes, [["10.0.0.1 80 w1 p0"]]);
  watched.discovery.stop();
});

Deno.test("Discovery.start() waits for look-ups that fail at first, within its time", async () => {
  const recovering = new Watched(BROKEN);
  const started = recovering.discovery.start();
  await recovering.time.advance(2000);
  recovering.answer = found(["10.0.0.1"]);
  await recovering.time.advance(1000);
  assertEquals(await within(1000, "start()", started), true);
  recovering.discovery.stop();

  for (const answer of [BROKEN, "nothing"] as const) {
    const watched = new Watched(answer);
    let result: boolean | undefined;
    watched.discovery.start().then((found) => result = found);
    await watched.time.advance(4999);
    assertEquals(result, undefined);
    await watched.time.advance(1);
    assertEquals(result, false);
    watched.answer = found(["10.0.0.1"]);
    await watched.time.advance(11_000);
    assertEquals(watched.changes.length, 1);
    watched.discovery.stop();
  }
});

Deno.test("Discovery gives up a look-up that takes too long, and never has two under way", async () => {
  const watched = new Watched("nothing");
  watched.discovery.start();
  await watched.time.advance(120_000);
  assertEquals(watched.lookups.slice(0, 4), [0, 11_000, 23_000, 37_000]);
  assertEquals(watched.mostAtATime, 1);
  assertEquals(watched.log, ["warn Cannot find the addresses of an upstream 0"]);
  watched.discovery.stop();
});

Deno.test("Discovery.stop() gives up the look-up under way, leaves no timer, and onChange is not called any more", async () => {
  const waiting = new Watched("nothing");
  const started = waiting.discovery.start();
  waiting.discovery.stop();
  waiting.discovery.stop();
  assertEquals(await within(1000, "start()", started), false);
  await waiting.time.advance(0);
  assertEquals([waiting.aborted, waiting.time.waiting], [1, 0]);

  const answering = new Watched(found(["10.0.0.1"]));
  answering.discovery.start();
  answering.discovery.stop();
  await answering.time.advance(600_000);
  assertEquals([answering.changes.length, answering.lookups.length, answering.time.waiting], [0, 1, 0]);

  const idle = new Watched(found(["10.0.0.1"]));
  await idle.discovery.start();
  assertEquals(idle.time.waiting, 1);
  idle.discovery.stop();
  assertEquals(idle.time.waiting, 0);

  // An answer that is here already, but not yet taken, when it is stopped.
  const late = new Watched(found(["10.0.0.1"]), {
    finder: { find: () => Promise.resolve(found(["10.0.0.1"])) },
  });
  late.discovery.start();
  await Promise.resolve();
  late.discovery.stop();
  await late.time.advance(0);
  assertEquals([late.changes.length, late.time.waiting], [0, 0]);

  const stopping = new Watched(found(["10.0.0.1"]), { onChange: () => stopping.discovery.stop() });
  await stopping.discovery.start();
  await stopping.time.advance(600_000);
  assertEquals([stopping.lookups.length, stopping.time.waiting], [1, 0]);
});

Deno.test("Discovery offers a set again when onChange has failed with it", async () => {
  let calls = 0;
  const watched = new Watched(found(["10.0.0.1"]), {
    onChange: () => {
      if (++calls === 1) throw new Error("not ready");
    },
  });
  const started = watched.discovery.start();
  await watched.time.advance(1000);
  assertEquals([await started, calls, watched.discovery.addresses.length], [true, 2, 1]);
  watched.discovery.stop();
});

Deno.test("Discovery.start() is for once", () => {
  const watched = new Watched("nothing");
  watched.discovery.start();
  assertThrows(() => watched.discovery.start(), Error, 'Cannot start the discovery of "http://api.test" twice');
  watched.discovery.stop();
  assertThrows(() => watched.discovery.start(), Error, "twice");
});

Deno.test("Discovery follows what a name server says, by its TTL", async () => {
  await using server = DnsServer.start();
  const time = new ManualTime();
  const changes: string[][] = [];
  const resolver = new NameResolver({ servers: [`127.0.0.1:${server.port}`] });
  server.set("api.test", "A", [{ type: "A", address: "10.0.0.1", ttlSeconds: 3 }]);
  const discovery = new Discovery({
    name: "http://api.test:8080",
    finder: new HostFinder(resolver, "api.test", 8080),
    onChange: (addresses) => changes.push(addresses.map(text)),
    time,
  });
  assertEquals(await discovery.start(), true);
  server.set("api.test", "A", [{ type: "A", address: "10.0.0.2", ttlSeconds: 3 }]);
  server.set("api.test", "AAAA", [{ type: "AAAA", address: "fd00::1", ttlSeconds: 3 }]);
  await time.advance(2999);
  assertEquals(server.asked("api.test", "A"), 1);
  await time.advance(1);
  await until("the second set", () => changes.length === 2);
  assertEquals(changes, [["10.0.0.1 8080 w1 p0"], ["10.0.0.2 8080 w1 p0", "fd00::1 8080 w1 p0"]]);
  discovery.stop();
});
