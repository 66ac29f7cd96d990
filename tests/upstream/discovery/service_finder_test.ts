// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals, assertRejects } from "@std/assert";
import { NameResolver } from "../../../lib/upstream/discovery/name_resolver.ts";
import { ServiceFinder } from "../../../lib/upstream/discovery/service_finder.ts";
import { type DnsRecord, DnsServer } from "../../support/dns_server.ts";

const NEVER = new AbortController().signal;
const SERVICE = "_web._tcp.api.test";

function record(target: string, port: number, { priority = 0, weight = 1 } = {}): DnsRecord {
  return { type: "SRV", target, port, priority, weight, ttlSeconds: 600 };
}

/** A finder, and names that the system's look-up cannot tell of at the moment. */
function finderOf(server: DnsServer): { finder: ServiceFinder; unclear: Set<string> } {
  const unclear = new Set<string>();
  const resolver = new NameResolver({
    servers: [`127.0.0.1:${server.port}`],
    systemLookup: (name) => {
      const code = unclear.has(name) ? "EAI_AGAIN" : "ENOTFOUND";
      return Promise.reject(Object.assign(new Error(code), { code }));
    },
  });
  return { finder: new ServiceFinder(resolver, SERVICE), unclear };
}

function host(server: DnsServer, name: string, addresses: string[], ttlSeconds = 60): void {
  server.set(name, "A", addresses.map((address) => ({ type: "A", address, ttlSeconds })));
}

async function found(finder: ServiceFinder): Promise<string[]> {
  const { addresses } = await finder.find(NEVER);
  return addresses.map(({ hostname, port, weight, priority }) => `${hostname}:${port} w${weight} p${priority}`).sort();
}

Deno.test("ServiceFinder gives each target's addresses with the port, weight and priority of its record", async () => {
  await using server = DnsServer.start();
  server.set(SERVICE, "SRV", [
    record("a.test", 8001, { weight: 10 }),
    record("b.test", 8002, { weight: 0 }),
    record("c.test", 8003, { priority: 5, weight: 7 }),
    record("a.test", 8004),
    record("d.test", 0),
  ]);
  host(server, "a.test", ["10.0.0.1", "10.0.0.2"]);
  host(server, "b.test", ["10.0.0.3"]);
  server.set("c.test", "AAAA", [{ type: "AAAA", address: "fd00::1", ttlSeconds: 60 }]);
  host(server, "d.test", ["10.0.0.4"]);
  const { finder } = finderOf(server);
  assertEquals(await found(finder), [
    "10.0.0.1:8001 w10 p0",
    "10.0.0.1:8004 w1 p0",
    "10.0.0.2:8001 w10 p0",
    "10.0.0.2:8004 w1 p0",
    "10.0.0.3:8002 w1 p0",
    "fd00::1:8003 w7 p5",
  ]);
  assertEquals(server.asked("a.test", "A"), 1);
});

Deno.test("ServiceFinder takes the least TTL of the addresses, at most 30 s", async () => {
  await using server = DnsServer.start();
  server.set(SERVICE, "SRV", [record("a.test", 1), record("b.test", 1)]);
  host(server, "a.test", ["10.0.0.1"], 3600);
  host(server, "b.test", ["10.0.0.2"], 3600);
  const { finder } = finderOf(server);
  assertEquals((await finder.find(NEVER)).ttlMs, 30_000);
  host(server, "b.test", ["10.0.0.2"], 4);
  assertEquals((await finder.find(NEVER)).ttlMs, 4000);
});

Deno.test("ServiceFinder finds nothing for a service that is absent, not offered, or has targets without address", async () => {
  await using server = DnsServer.start();
  const { finder } = finderOf(server);
  assertEquals(await found(finder), []);
  server.set(SERVICE, "SRV", [record(".", 80)]);
  assertEquals(await found(finder), []);
  server.set(SERVICE, "SRV", [record("nowhere.test", 80)]);
  assertEquals(await found(finder), []);
});

Deno.test("ServiceFinder keeps the addresses of a target whose look-up fails, and forgets targets that are gone", async () => {
  await using server = DnsServer.start();
  server.set(SERVICE, "SRV", [record("a.test", 1), record("b.test", 1)]);
  host(server, "a.test", ["10.0.0.1"]);
  host(server, "b.test", ["10.0.0.2"]);
  const { finder, unclear } = finderOf(server);
  await finder.find(NEVER);
  host(server, "a.test", ["10.0.0.9"]);
  server.set("b.test", "A", "SERVFAIL");
  unclear.add("b.test.");
  assertEquals(await found(finder), ["10.0.0.2:1 w1 p0", "10.0.0.9:1 w1 p0"]);
  server.set(SERVICE, "SRV", [record("a.test", 1)]);
  assertEquals(await found(finder), ["10.0.0.9:1 w1 p0"]);
  server.set(SERVICE, "SRV", [record("a.test", 1), record("b.test", 1)]);
  assertEquals(await found(finder), ["10.0.0.9:1 w1 p0"]);
});

Deno.test("ServiceFinder fails when no target can be looked up, or the service itself cannot", async () => {
  await using server = DnsServer.start();
  const { finder, unclear } = finderOf(server);
  server.set(SERVICE, "SRV", [record("a.test", 1)]);
  server.set("a.test", "A", "SERVFAIL");
  unclear.add("a.test.");
  await assertRejects(() => finder.find(NEVER), Error, "EAI_AGAIN");
  server.set(SERVICE, "SRV", "SERVFAIL");
  unclear.add(SERVICE);
  await assertRejects(() => finder.find(NEVER), Error, "EAI_AGAIN");
});

Deno.test("ServiceFinder looks up many targets", async () => {
  await using server = DnsServer.start();
  const numbers = Array.from({ length: 50 }, (_, index) => index + 1);
  server.set(SERVICE, "SRV", numbers.map((number) => record(`pod${number}.test`, 80)));
  for (const number of numbers) host(server, `pod${number}.test`, [`10.0.0.${number}`]);
  server.truncatesUdp = true;
  assertEquals((await found(finderOf(server).finder)).length, 50);
});
