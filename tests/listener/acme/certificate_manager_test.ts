/**
 * The life of certificates: what is ordered when, what is in place meanwhile, and what operators see of it.
 *
 * @module
 */

// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { AcmeError } from "../../../lib/listener/acme/acme_error.ts";
import type { CertificateIssuer, Issued } from "../../../lib/listener/acme/certificate_issuer.ts";
import {
  CertificateManager,
  type CertificateManagerOptions,
  type CertificatePlan,
} from "../../../lib/listener/acme/certificate_manager.ts";
import { CertificateTable } from "../../../lib/listener/acme/certificate_table.ts";
import type { RenewalWindow } from "../../../lib/listener/acme/renewal.ts";
import type { ServerCertificate } from "../../../lib/listener/tls/certificate.ts";
import { someTurns, until } from "../../support/condition.ts";

let made = 0;

function certificate(name: string, { lifetimeMs = 90 * 86_400_000, ageMs = 0 } = {}): ServerCertificate {
  const notBeforeMs = Date.now() - ageMs;
  return {
    ...{ names: [name], chain: "", key: "", fingerprint: String(++made), issuer: "CN=Test" },
    ...{ notBeforeMs, notAfterMs: notBeforeMs + lifetimeMs, origin: "acme" },
  };
}

/** An issuer that does as the test says. */
class FakeIssuer implements CertificateIssuer {
  readonly keptByName = new Map<string, ServerCertificate>();
  /** Names that were ordered, with the certificate that was replaced. */
  readonly orders: { name: string; replaced: ServerCertificate | undefined }[] = [];
  underWay = 0;
  most = 0;
  issuing: (name: string) => Promise<ServerCertificate> = (name) => Promise.resolve(certificate(name));
  window: RenewalWindow | undefined;
  changed: CertificateIssuer["changed"];
  renewalWindow: CertificateIssuer["renewalWindow"];

  kept(name: string): Promise<ServerCertificate | undefined> {
    return Promise.resolve(this.keptByName.get(name));
  }

  async issue(name: string, replaced: ServerCertificate | undefined, signal: AbortSignal): Promise<Issued> {
    this.orders.push({ name, replaced });
    this.most = Math.max(this.most, ++this.underWay);
    try {
      const ended = new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
      return { certificate: await Promise.race([this.issuing(name), ended]), ordered: true };
    } finally {
      this.underWay--;
    }
  }

  close(): void {}
}

class World implements Disposable {
  readonly acme = new FakeIssuer();
  readonly internal = new FakeIssuer();
  readonly table = new CertificateTable();
  readonly changes: string[] = [];
  readonly lines: { level: string; message: string; fields: unknown }[] = [];
  readonly manager: CertificateManager;

  constructor(options: Partial<CertificateManagerOptions> = {}) {
    this.manager = new CertificateManager({
      table: this.table,
      log: { log: (level, message, fields) => this.lines.push({ level, message, fields }) },
      onChange: ({ name, certificate }) => this.changes.push(`${certificate === undefined ? "-" : "+"}${name}`),
      pauses: { authorityMs: 5, nameMs: 60_000, renewalMs: 0 },
      ...options,
    });
  }

  plan(names: readonly string[], more: Partial<CertificatePlan> = {}): CertificatePlan {
    const wanted = names.map((name) => ({ name, issuer: name === "localhost" ? "internal" : "acme" } as const));
    return { names: wanted, issuers: { acme: this.acme, internal: this.internal }, ...more };
  }

  async activate(names: readonly string[], more: Partial<CertificatePlan> = {}): Promise<void> {
    const plan = this.plan(names, more);
    await this.manager.prepare(plan);
    this.manager.activate(plan);
  }

  async has(name: string): Promise<void> {
    await until(`${name} has a certificate`, () => this.table.certificateFor(name) !== undefined);
  }

  status(name: string) {
    const found = this.manager.status.find((status) => status.name === name);
    if (found === undefined) throw new Error(`${name} is not managed`);
    return found;
  }

  [Symbol.dispose](): void {
    this.manager.close();
  }
}

Deno.test("a name without a certificate gets one, and one that is kept is used as it is", async () => {
  using world = new World();
  world.acme.keptByName.set("kept.test", certificate("kept.test"));
  const plan = world.plan(["kept.test", "new.test"]);
  await world.manager.prepare(plan);
  assertEquals(world.changes, ["+kept.test"], "before anything is ordered");
  assertEquals(world.acme.orders, []);
  world.manager.activate(plan);
  await world.has("new.test");
  assertEquals(world.acme.orders, [{ name: "new.test", replaced: undefined }]);
  const { problem, notAfterMs, renewAtMs, ordering } = world.status("new.test");
  assertEquals([problem, ordering, (renewAtMs ?? 0) < (notAfterMs ?? 0)], [null, false, true]);
  assertEquals(world.manager.orders, { issued: 1, failed: 0 });
});

Deno.test("certificates of the local authority are there before the first handshake", async () => {
  using world = new World();
  await world.manager.prepare(world.plan(["localhost"]));
  assertEquals(world.table.certificateFor("localhost")?.names, ["localhost"]);
});

Deno.test("a few orders are under way at a time, and each name is ordered once", async () => {
  using world = new World();
  const names = Array.from({ length: 20 }, (_, i) => `${i}.test`);
  world.acme.issuing = async (name) => {
    await someTurns();
    return certificate(name);
  };
  await world.activate(names);
  // A reload meanwhile orders nothing twice.
  await world.activate(names);
  for (const name of names) await world.has(name);
  assertEquals(world.acme.most, 4);
  assertEquals(world.acme.orders.map(({ name }) => name).sort(), names.toSorted());
});

Deno.test("a failure is told in its words with the next try, and tried again", async () => {
  using world = new World();
  const tried = Promise.withResolvers<void>();
  let failures = 0;
  world.acme.issuing = async (name) => {
    if (++failures <= 3) throw new AcmeError("one: Cannot reach 127.0.0.1:1: refused");
    await tried.promise;
    return certificate(name);
  };
  await world.activate(["shop.test"]);
  await until("the fourth try", () => failures === 4);
  const { problem, notAfterMs } = world.status("shop.test");
  assertEquals([problem?.message, problem?.failures, notAfterMs], ["one: Cannot reach 127.0.0.1:1: refused", 3, null]);
  assertEquals(world.lines.filter(({ level }) => level === "error").length, 3);
  tried.resolve();
  await world.has("shop.test");
  assertEquals(world.status("shop.test").problem, null);
  assertEquals(world.manager.orders, { issued: 1, failed: 3 });
});

Deno.test("a name that is at fault waits longer, and a rate limit as long as it says", async () => {
  using world = new World();
  const retryAtMs = Date.now() + 7 * 86_400_000;
  world.acme.issuing = (name) =>
    Promise.reject(new AcmeError("no", name === "limited.test" ? { type: "rateLimited", retryAtMs } : { type: "dns" }));
  await world.activate(["shop.test", "limited.test"]);
  await until("both failed", () => world.manager.orders.failed === 2);
  const waitMs = (world.status("shop.test").problem?.nextTryAtMs ?? 0) - Date.now();
  assertEquals(waitMs > 50_000 && waitMs <= 72_000, true, String(waitMs));
  assertEquals(world.status("limited.test").problem?.nextTryAtMs, retryAtMs);
});

Deno.test("a certificate is renewed in its time, while the one before is in place", async () => {
  using world = new World();
  const before = certificate("shop.test", { ageMs: 70 * 86_400_000 });
  world.acme.keptByName.set("shop.test", before);
  let fails = true;
  world.acme.issuing = (name) => fails ? Promise.reject(new Error("down")) : Promise.resolve(certificate(name));
  await world.activate(["shop.test"]);
  await until("it failed", () => world.manager.orders.failed > 1);
  assertEquals(world.table.certificateFor("shop.test"), before);
  fails = false;
  await until("it is renewed", () => world.table.certificateFor("shop.test") !== before);
  assertEquals(world.acme.orders.at(-1)?.replaced, before);
  assertEquals(world.changes, ["+shop.test", "+shop.test"]);
});

Deno.test("the time that the authority suggests is used, and asked for again in its time", async () => {
  using world = new World();
  const [startMs, endMs] = [Date.now() + 1000_000, Date.now() + 2000_000];
  let asked = 0;
  world.acme.renewalWindow = () => {
    asked++;
    return Promise.resolve({ startMs, endMs, askAgainAtMs: Date.now() + (asked < 3 ? 1 : 1000_000) });
  };
  world.acme.keptByName.set("shop.test", certificate("shop.test"));
  await world.activate(["shop.test"]);
  await until("it has asked", () => asked === 3);
  const { renewAtMs } = world.status("shop.test");
  assertEquals((renewAtMs ?? 0) >= startMs && (renewAtMs ?? 0) <= endMs, true);
  assertEquals(world.acme.orders, []);
});

Deno.test("a window in the past renews at once, and not again and again", async () => {
  using world = new World({ pauses: { authorityMs: 5, nameMs: 5, renewalMs: 60_000 } });
  world.acme.renewalWindow = () => Promise.resolve({ startMs: 1, endMs: 2, askAgainAtMs: Date.now() + 60_000 });
  world.acme.keptByName.set("shop.test", certificate("shop.test"));
  await world.activate(["shop.test"]);
  await until("it is renewed", () => world.manager.orders.issued > 0);
  await someTurns();
  assertEquals(world.acme.orders.length, 1);
});

Deno.test("a name that the next config does not have is let go, and a config that is not activated changes nothing", async () => {
  using world = new World();
  await world.activate(["one.test", "two.test"]);
  await world.has("two.test");
  world.acme.keptByName.set("three.test", certificate("three.test"));
  const active = world.plan(["one.test", "two.test"]);
  await world.manager.prepare(world.plan(["two.test", "three.test"]));
  assertEquals(world.table.certificateFor("one.test")?.names, ["one.test"]);
  // The config was refused for another reason: that of before is activated again.
  world.manager.activate(active);
  assertEquals(world.table.all.map(({ name }) => name).sort(), ["one.test", "two.test"]);
  await world.activate(["two.test", "three.test"]);
  assertEquals(world.table.all.map(({ name }) => name).sort(), ["three.test", "two.test"]);
  assertEquals(world.acme.orders.length, 2);
});

Deno.test("with another authority the certificate before stays in place until there is one", async () => {
  using world = new World();
  await world.activate(["shop.test"]);
  await world.has("shop.test");
  const before = world.table.certificateFor("shop.test");
  const other = new FakeIssuer();
  const issued = Promise.withResolvers<ServerCertificate>();
  other.issuing = () => issued.promise;
  await world.activate(["shop.test"], { issuers: { acme: other, internal: world.internal } });
  await until("the other is asked", () => other.orders.length === 1);
  assertEquals(world.table.certificateFor("shop.test"), before);
  issued.resolve(certificate("shop.test"));
  await until("it is in place", () => world.table.certificateFor("shop.test") !== before);
});

Deno.test("close() ends orders that are under way, which are no failures", async () => {
  const world = new World();
  world.acme.issuing = () => new Promise(() => {});
  await world.activate(["shop.test"]);
  await until("it is ordered", () => world.acme.underWay === 1);
  world.manager.close();
  await until("it has ended", () => world.acme.underWay === 0);
  await someTurns();
  assertEquals([world.lines.filter(({ level }) => level === "error"), world.manager.orders.failed], [[], 0]);
});

/** A permission URL that allows names below `allowed.test`. */
class AskServer implements AsyncDisposable {
  readonly asked: string[] = [];
  status = 200;
  readonly #server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    const domain = new URL(request.url).searchParams.get("domain") ?? "";
    this.asked.push(domain);
    return new Response(null, { status: domain.endsWith(".allowed.test") ? this.status : 403 });
  });

  get bounds() {
    const ask = `http://127.0.0.1:${this.#server.addr.port}/ask?key=1`;
    return { ask, maxPerMinute: 10, maxNames: 100, issuer: "acme" as const };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

Deno.test("a name that is allowed gets a certificate on demand, once for all who wait for it", async () => {
  await using ask = new AskServer();
  using world = new World();
  world.table.obtainer = (name) => world.manager.obtain(name);
  await world.activate([], { onDemand: ask.bounds });
  const obtained = await Promise.all(Array.from({ length: 5 }, () => world.table.obtain("a.allowed.test")));
  assertEquals(new Set(obtained).size, 1);
  assertEquals(obtained[0]?.names, ["a.allowed.test"]);
  assertEquals([world.acme.orders.length, ask.asked], [1, ["a.allowed.test"]]);
  assertEquals(world.status("a.allowed.test").onDemand, true);
  // It stays with a reload, and goes with the last site that has it.
  await world.activate([], { onDemand: ask.bounds });
  assertEquals(world.table.certificateFor("a.allowed.test"), obtained[0]);
  await world.activate([]);
  assertEquals(world.table.certificateFor("a.allowed.test"), undefined);
  assertEquals(await world.table.obtain("a.allowed.test"), undefined);
});

Deno.test("a name that is denied is remembered, and what could be no name is not asked for", async () => {
  await using ask = new AskServer();
  using world = new World();
  await world.activate([], { onDemand: ask.bounds });
  for (let i = 0; i < 3; i++) assertEquals(await world.manager.obtain("evil.test"), undefined);
  for (
    const name of ["", "localhost", "127.0.0.1", "::1", "*.allowed.test", "a..allowed.test", "a\r\nb.allowed.test"]
  ) {
    assertEquals(await world.manager.obtain(name), undefined);
  }
  assertEquals([ask.asked, world.acme.orders], [["evil.test"], []]);
});

Deno.test("on demand, orders are bounded in rate, and names in number", async () => {
  await using ask = new AskServer();
  using world = new World();
  await world.activate([], { onDemand: { ...ask.bounds, maxPerMinute: 3 } });
  for (let i = 0; i < 6; i++) await world.manager.obtain(`${i}.allowed.test`);
  assertEquals(world.acme.orders.length, 3);
  await world.activate([], { onDemand: { ...ask.bounds, maxNames: 4 } });
  for (let i = 0; i < 6; i++) await world.manager.obtain(`${i}.allowed.test`);
  assertEquals(world.acme.orders.length, 4);
  assertEquals(world.table.all.length, 4);
});

Deno.test("on demand, a failure is a problem of the name, and other clients order nothing", async () => {
  await using ask = new AskServer();
  using world = new World();
  world.acme.issuing = () => Promise.reject(new AcmeError("no", { type: "dns" }));
  await world.activate([], { onDemand: ask.bounds });
  for (let i = 0; i < 3; i++) assertEquals(await world.manager.obtain("a.allowed.test"), undefined);
  assertEquals([world.acme.orders.length, world.status("a.allowed.test").problem?.message], [1, "no"]);
  const reasons = world.lines.filter(({ message }) => message === "no certificate on demand").map(({ fields }) =>
    fields
  );
  assertEquals(reasons.map((fields) => (fields as { reason: string }).reason), ["no", "no"]);
});

Deno.test("on demand, a name that is not allowed any more is not renewed, and an ask that is down changes nothing", async () => {
  await using ask = new AskServer();
  using world = new World({ renewalTime: () => Date.now() + 20 });
  await world.activate([], { onDemand: ask.bounds });
  await world.manager.obtain("a.allowed.test");
  ask.status = 503;
  await until("it is renewed", () => world.manager.orders.issued > 1);
  ask.status = 404;
  await until("it is gone", () => world.table.certificateFor("a.allowed.test") === undefined);
  assertEquals(world.manager.status, []);
});

Deno.test("a certificate that another process wrote is used if it is newer, and none is lost while the store is away", async () => {
  using world = new World({ storePollMs: 5 });
  const { acme } = world;
  const [older, first, second] = [
    certificate("a.test", { ageMs: 86_400_000 }),
    certificate("a.test"),
    certificate("b.test"),
  ];
  for (const [name, kept] of [["a.test", first], ["b.test", second]] as const) acme.keptByName.set(name, kept);
  let written: string[] = [];
  let away = "";
  acme.changed = () => away === "" ? Promise.resolve(written.splice(0)) : Promise.reject(new Error(away));
  await world.activate(["a.test", "b.test"]);
  const newer = certificate("b.test", { lifetimeMs: 100 * 86_400_000 });
  acme.keptByName.set("a.test", older);
  acme.keptByName.set("b.test", newer);
  // The names are told once; the first try to read fails.
  const { kept } = acme;
  acme.kept = () => Promise.reject(new Error("reset"));
  written = ["a.test", "b.test", "c.test"];
  await until("it is a problem", () => world.status("b.test").problem?.message === "reset");
  away = "away";
  await until("it is still one", () => world.status("a.test").problem?.message === "away");
  assertEquals([world.table.certificateFor("b.test"), acme.orders], [second, []]);
  [acme.kept, away] = [kept, ""];
  await until("the newer one is used", () => world.table.certificateFor("b.test") === newer);
  assertEquals([world.table.certificateFor("a.test"), world.status("a.test").problem], [first, null]);
  const events = world.lines.filter(({ message }) => message.startsWith("store ")).map(({ message }) => message);
  assertEquals(events, ["store of certificates cannot be reached", "store of certificates can be reached again"]);
  assertEquals(world.manager.orders, { issued: 0, failed: 0 });
});
