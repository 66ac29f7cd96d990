// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals, assertRejects } from "@std/assert";
import { HostFinder } from "../../../lib/upstream/discovery/host_finder.ts";
import { NameResolver, type NameResolverOptions } from "../../../lib/upstream/discovery/name_resolver.ts";
import { until, within } from "../../support/condition.ts";
import { type DnsRecord, DnsServer } from "../../support/dns_server.ts";

const NEVER = new AbortController().signal;

function resolverOf(server: DnsServer, options: NameResolverOptions = {}): NameResolver {
  return new NameResolver({ servers: [`127.0.0.1:${server.port}`], ...options });
}

function ipv4(address: string, ttlSeconds = 60): DnsRecord {
  return { type: "A", address, ttlSeconds };
}

function ipv6(address: string, ttlSeconds = 60): DnsRecord {
  return { type: "AAAA", address, ttlSeconds };
}

function failure(code: string): Error {
  return Object.assign(new Error(`getaddrinfo ${code}`), { code });
}

async function hostsFile(text: string): Promise<{ path: string } & AsyncDisposable> {
  const path = await Deno.makeTempFile();
  await Deno.writeTextFile(path, text);
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path) };
}

Deno.test("NameResolver.addresses() gives A and AAAA records, and the least TTL", async () => {
  await using server = DnsServer.start();
  server.set("api.test", "A", [ipv4("10.0.0.1", 30), ipv4("10.0.0.2", 20)]);
  server.set("api.test", "AAAA", [ipv6("fd00:0:0::1", 25)]);
  const found = await resolverOf(server).addresses("API.test", NEVER);
  assertEquals(found, { ipv4: ["10.0.0.1", "10.0.0.2"], ipv6: ["fd00::1"], ttlMs: 20_000 });
});

Deno.test("NameResolver.addresses() follows aliases", async () => {
  await using server = DnsServer.start();
  const alias: DnsRecord = { type: "CNAME", target: "real.test", ttlSeconds: 5 };
  server.set("api.test", "A", [alias, { ...ipv4("10.0.0.1", 30), name: "real.test" }]);
  assertEquals((await resolverOf(server).addresses("api.test", NEVER)).ipv4, ["10.0.0.1"]);
});

Deno.test("NameResolver.addresses() asks again over TCP when an answer is truncated", async () => {
  await using server = DnsServer.start();
  const many = Array.from({ length: 200 }, (_, index) => ipv4(`10.0.0.${index + 1}`));
  server.set("api.test", "A", many);
  server.truncatesUdp = true;
  const found = await resolverOf(server).addresses("api.test", NEVER);
  assertEquals(found.ipv4?.length, 200);
  assertEquals(server.questions.some((asked) => asked.transport === "tcp"), true);
});

Deno.test("NameResolver.addresses() finds none for a name that does not exist, and asks anew each time", async () => {
  await using server = DnsServer.start();
  const resolver = resolverOf(server);
  const none = { ipv4: [], ipv6: [], ttlMs: undefined };
  assertEquals(await resolver.addresses("api.test", NEVER), none);
  server.set("api.test", "A", []);
  assertEquals(await resolver.addresses("api.test", NEVER), none);
  server.set("api.test", "A", [ipv4("10.0.0.1")]);
  assertEquals((await resolver.addresses("api.test", NEVER)).ipv4, ["10.0.0.1"]);
  assertEquals(server.asked("api.test", "A"), 3);
});

Deno.test("NameResolver.addresses() leaves out addresses that cannot be an upstream", async () => {
  await using server = DnsServer.start();
  server.set("api.test", "A", [ipv4("0.0.0.0"), ipv4("10.0.0.1")]);
  server.set("api.test", "AAAA", [ipv6("::")]);
  const { ipv4: first, ipv6: second } = await resolverOf(server).addresses("api.test", NEVER);
  assertEquals([first, second], [["10.0.0.1"], []]);
});

Deno.test("NameResolver.addresses() takes an IP address for itself", async () => {
  await using server = DnsServer.start();
  assertEquals((await resolverOf(server).addresses("10.0.0.1", NEVER)).ipv4, ["10.0.0.1"]);
  assertEquals((await resolverOf(server).addresses("FD00:0::1", NEVER)).ipv6, ["fd00::1"]);
  assertEquals(server.questions, []);
});

Deno.test("NameResolver.addresses() looks into the hosts file first, and reads it anew each time", async () => {
  await using server = DnsServer.start();
  await using hosts = await hostsFile(
    "127.0.0.1 localhost\n10.1.1.1\tother API.test # api2.test\n#10.1.1.2 api.test\n",
  );
  const resolver = resolverOf(server, { hostsFile: hosts.path });
  for (const name of ["api.test", "Api.Test.", "other"]) {
    assertEquals(await resolver.addresses(name, NEVER), { ipv4: ["10.1.1.1"], ipv6: [], ttlMs: undefined });
  }
  assertEquals(server.questions, []);
  assertEquals((await resolver.addresses("api2.test", NEVER)).ipv4, []);
  await Deno.writeTextFile(hosts.path, "10.2.2.2 api.test\r\nfd00::2 api.test\r\nfe80::1%eth0 api.test\r\n");
  assertEquals(await resolver.addresses("api.test", NEVER), {
    ipv4: ["10.2.2.2"],
    ipv6: ["fd00::2"],
    ttlMs: undefined,
  });
  const without = resolverOf(server, { hostsFile: "/no/such/file" });
  assertEquals((await without.addresses("api.test", NEVER)).ipv4, []);
});

Deno.test("NameResolver finds what the system finds for localhost", async () => {
  const { ipv4, ipv6 } = await new NameResolver().addresses("localhost", NEVER);
  const found = [...ipv4 ?? [], ...ipv6 ?? []];
  assertEquals(found.length > 0 && found.every((address) => address === "127.0.0.1" || address === "::1"), true);
});

Deno.test("NameResolver.addresses() leaves the last word to the system where DNS finds nothing", async () => {
  await using server = DnsServer.start();
  server.set("api.test", "A", [ipv4("10.0.0.1")]);
  const asked: string[] = [];
  const systemLookup = (name: string) => {
    asked.push(name);
    return Promise.resolve(["10.3.3.3", "fd00:0::3"]);
  };
  const resolver = resolverOf(server, { systemLookup });
  assertEquals((await resolver.addresses("api.test", NEVER)).ipv4, ["10.0.0.1"]);
  for (const name of ["printer.local", "my_service"]) {
    assertEquals(await resolver.addresses(name, NEVER), { ipv4: ["10.3.3.3"], ipv6: ["fd00::3"], ttlMs: undefined });
  }
  assertEquals(asked, ["printer.local", "my_service"]);
});

Deno.test("NameResolver distinguishes a name that does not exist from a name server that fails, by what the system says", async () => {
  await using server = DnsServer.start();
  for (const type of ["A", "AAAA", "SRV"] as const) server.set("broken.test", type, "SERVFAIL");
  const gone = resolverOf(server, { systemLookup: () => Promise.reject(failure("ENOTFOUND")) });
  assertEquals((await gone.addresses("gone.test", NEVER)).ipv4, []);
  assertEquals(await gone.services("gone.test", NEVER), []);
  const broken = resolverOf(server, { systemLookup: () => Promise.reject(failure("EAI_AGAIN")) });
  await assertRejects(() => broken.addresses("broken.test", NEVER), Error, "EAI_AGAIN");
  await assertRejects(() => broken.services("broken.test", NEVER), Error, "EAI_AGAIN");
});

Deno.test("NameResolver asks the system once while that look-up is under way", async () => {
  await using server = DnsServer.start();
  let asked = 0;
  const answer = Promise.withResolvers<string[]>();
  const resolver = resolverOf(server, { systemLookup: () => (asked++, answer.promise) });
  const impatient = new AbortController();
  const first = resolver.addresses("api.test", impatient.signal);
  await until("the look-up", () => asked === 1);
  impatient.abort(new Error("late"));
  await assertRejects(() => first, Error, "late");
  const second = resolver.addresses("api.test", NEVER);
  await until("the second question", () => server.asked("api.test", "AAAA") === 2);
  // Behind the responses to that question, so that the system is what is waited for.
  server.set("other.test", "A", [ipv4("10.0.0.2", 7)]);
  for (let i = 0; i < 3; i++) await resolver.addresses("other.test", NEVER);
  answer.resolve(["10.0.0.1"]);
  assertEquals([(await second).ipv4, asked], [["10.0.0.1"], 1]);
  await resolver.addresses("api.test", NEVER);
  assertEquals(asked, 2);
});

Deno.test("NameResolver.addresses() ends at once when its signal fires", async () => {
  await using server = DnsServer.start();
  server.set("api.test", "A", "silence");
  server.set("api.test", "AAAA", "silence");
  server.set("api.test", "SRV", "silence");
  for (const question of ["addresses", "services"] as const) {
    const abort = new AbortController();
    const asked = server.questions.length;
    const found = resolverOf(server)[question]("api.test", abort.signal);
    await until("the question", () => server.questions.length > asked);
    abort.abort(new Error("late"));
    await assertRejects(() => within<unknown>(1000, "the look-up", found), Error);
    await assertRejects(() => resolverOf(server)[question]("api.test", abort.signal), Error, "late");
  }
});

Deno.test("HostFinder keeps the addresses of a family whose look-up fails", async () => {
  await using server = DnsServer.start();
  server.set("api.test", "A", [ipv4("10.0.0.1", 7)]);
  server.set("api.test", "AAAA", [ipv6("fd00::1", 7)]);
  const finder = new HostFinder(resolverOf(server, { laggardMs: 50 }), "api.test", 80);
  // On a busy machine one of the two may come too late.
  await until("both families", async () => (await finder.find(NEVER)).addresses.length === 2);
  server.set("api.test", "A", [ipv4("10.0.0.2", 7)]);
  server.set("api.test", "AAAA", "silence");
  const found = await within(1000, "the look-up", finder.find(NEVER));
  assertEquals(found.addresses.map(({ hostname }) => hostname), ["10.0.0.2", "fd00::1"]);
  assertEquals(found.ttlMs, 7000);
  server.set("api.test", "AAAA", []);
  await until("one family", async () => (await finder.addresses(NEVER)).addresses.length === 1);
  assertEquals((await finder.addresses(NEVER)).addresses, ["10.0.0.2"]);
});

Deno.test("NameResolver.addresses() takes no name for gone while this machine has no file handle left", async () => {
  const emfile = () => Object.assign(new Error("Too many open files (os error 24)"), { code: "EMFILE" });
  await using server = DnsServer.start();
  await using hosts = await hostsFile("10.0.0.9 other.test\n");
  const gone = () => Promise.reject(failure("ENOTFOUND"));
  const resolver = resolverOf(server, { hostsFile: hosts.path, systemLookup: gone });
  assertEquals((await resolver.addresses("api.test", NEVER)).ipv4, []);
  const { openSync, readTextFile } = Deno;
  try {
    Object.assign(Deno, {
      openSync: () => {
        throw emfile();
      },
    });
    await assertRejects(() => resolver.addresses("api.test", NEVER), Error, "no file handles left (EMFILE)");
    Object.assign(Deno, { readTextFile: () => Promise.reject(emfile()) });
    await assertRejects(() => resolver.addresses("api.test", NEVER), Error, "Too many open files");
  } finally {
    Object.assign(Deno, { openSync, readTextFile });
  }
});
