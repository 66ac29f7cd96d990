/**
 * What becomes of an order when the authority misbehaves, and who orders when several want the same.
 *
 * @module
 */

// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { AcmeError } from "../../../lib/listener/acme/acme_error.ts";
import { AcmeIssuer } from "../../../lib/listener/acme/acme_issuer.ts";
import { FolderStore } from "../../../lib/listener/acme/folder_store.ts";
import { HttpChallenge } from "../../../lib/listener/acme/http_challenge.ts";
import { renewalIdentifier } from "../../../lib/listener/acme/x509.ts";
import { problem, ScriptedAuthority } from "../../support/scripted_authority.ts";

const SILENT = { log: () => {} };

interface World {
  readonly authority: ScriptedAuthority;
  readonly second: ScriptedAuthority;
  readonly store: FolderStore;
  /** An issuer that asks the first authority, or both in turn. */
  issuer(options?: { both?: boolean; timeoutMs?: number }): AcmeIssuer;
  readonly signal: AbortSignal;
}

function withAuthority(name: string, work: (world: World) => Promise<void>): void {
  Deno.test(name, async () => {
    await using authority = await ScriptedAuthority.start();
    await using second = await ScriptedAuthority.start();
    const folder = await Deno.makeTempDir();
    const store = new FolderStore(`${folder}/store`);
    const issuers: AcmeIssuer[] = [];
    try {
      await work({
        ...{ authority, second, store, signal: AbortSignal.timeout(60_000) },
        issuer: ({ both = false, timeoutMs = 30_000 } = {}) => {
          const authorities = [
            { name: "one", directoryUrl: authority.directoryUrl, timeoutMs },
            { name: "two", directoryUrl: second.directoryUrl, timeoutMs },
          ].slice(0, both ? 2 : 1);
          const solvers = [new HttpChallenge(store)];
          const issuer = new AcmeIssuer({ store, authorities, solvers, keyType: "p256", log: SILENT });
          issuers.push(issuer);
          return issuer;
        },
      });
    } finally {
      for (const issuer of issuers) issuer.close();
      await Deno.remove(folder, { recursive: true });
    }
  });
}

withAuthority("AcmeIssuer.issue() keeps what was issued, with its key in the same file", async (world) => {
  const { certificate, ordered } = await world.issuer().issue("shop.test", undefined, world.signal);
  assertEquals([certificate.names, certificate.origin, ordered], [["shop.test"], "acme", true]);
  assertEquals(await world.issuer().kept("shop.test"), certificate);
  assertEquals(await world.issuer().kept("other.test"), undefined);
});

withAuthority("of several issuers on one store that want one name, one orders", async (world) => {
  const issuers = [world.issuer(), world.issuer(), world.issuer()];
  const issued = await Promise.all(issuers.map((issuer) => issuer.issue("shop.test", undefined, world.signal)));
  assertEquals(new Set(issued.map(({ certificate }) => certificate.fingerprint)).size, 1);
  assertEquals(issued.filter(({ ordered }) => ordered).length, 1);
  assertEquals(world.authority.issued, ["shop.test"]);
  // And of those that renew it.
  world.authority.lifetimeMs *= 2;
  const [{ certificate }] = issued;
  const renewed = await Promise.all(issuers.map((issuer) => issuer.issue("shop.test", certificate, world.signal)));
  assertEquals(new Set(renewed.map((one) => one.certificate.fingerprint)).size, 1);
  assertEquals(world.authority.issued.length, 2);
});

withAuthority("bad nonces are replaced", async (world) => {
  let refused = 0;
  world.authority.fault = ({ resource }) =>
    resource === "order" && refused++ < 5 ? problem("badNonce", "used before") : undefined;
  await world.issuer().issue("shop.test", undefined, world.signal);
  assertEquals(refused > 5, true);
});

withAuthority("an authority that refuses each nonce is given up", async (world) => {
  world.authority.fault = ({ resource }) => resource === "account" ? problem("badNonce", "used before") : undefined;
  const error = await assertRejects(() => world.issuer().issue("shop.test", undefined, world.signal), AcmeError);
  assertEquals(error.message, "one: Cannot make an account: badNonce: used before");
});

withAuthority("a rate limit holds until its Retry-After, and the next authority is asked", async (world) => {
  world.authority.fault = ({ resource }) =>
    resource === "order"
      ? problem("rateLimited", "too many certificates", { status: 429, headers: { "retry-after": "3600" } })
      : undefined;
  const alone = world.issuer();
  const beforeMs = Date.now();
  const error = await assertRejects(() => alone.issue("shop.test", undefined, world.signal), AcmeError);
  assertEquals(error.message, "one: Cannot order a certificate: rateLimited: too many certificates");
  assertEquals(error.retryAtMs >= beforeMs + 3_600_000 && error.retryAtMs <= Date.now() + 3_600_000, true);
  const asked = world.authority.count("order");
  const again = await assertRejects(() => alone.issue("shop.test", undefined, world.signal), AcmeError);
  assertStringIncludes(again.message, "one: takes no order for this name before 20");
  assertEquals([again.retryAtMs, world.authority.count("order")], [error.retryAtMs, asked]);
  const { certificate } = await world.issuer({ both: true }).issue("shop.test", undefined, world.signal);
  assertEquals([certificate.names, world.second.issued], [["shop.test"], ["shop.test"]]);
});

withAuthority("failures of all authorities are told, each in its words", async (world) => {
  world.authority.fault = () => new Response("<html>maintenance</html>", { status: 503 });
  world.second.fault = ({ resource }) =>
    resource === "order" ? problem("rejectedIdentifier", "not this one") : undefined;
  const issuer = world.issuer({ both: true });
  const error = await assertRejects(() => issuer.issue("shop.test", undefined, world.signal), AcmeError);
  assertEquals(
    error.message,
    `one: Cannot read ${world.authority.directoryUrl}: status 503; two: Cannot order a certificate: rejectedIdentifier: not this one`,
  );
  // One of them may take the name soon.
  assertEquals(error.concernsName, false);
});

withAuthority("an authority that hangs is given up after the time for a request", async (world) => {
  const hanging = Promise.withResolvers<Response>();
  world.authority.fault = ({ resource }) => resource === "finalize" ? hanging.promise : undefined;
  const issuer = world.issuer({ timeoutMs: 300 });
  const error = await assertRejects(() => issuer.issue("shop.test", undefined, world.signal), AcmeError);
  assertStringIncludes(error.message, "one: No response from 127.0.0.1:");
  assertEquals(await world.store.list("challenges"), []);
  hanging.resolve(new Response());
});

for (
  const [what, body, type] of [
    ["no JSON", "<html>", "application/json"],
    ["JSON of another kind", "[1,null]", "application/json"],
    ["an order without its members", "{}", "application/json"],
    ["members of other types", '{"status":1,"authorizations":"x","finalize":{}}', "application/json"],
    ["another media type", '{"status":"valid"}', "text/plain"],
    ["a body without end", "x".repeat(300_000), "application/json"],
  ]
) {
  withAuthority(`an order that is answered with ${what} fails with a sentence`, async (world) => {
    world.authority.fault = ({ resource }) =>
      resource === "order"
        ? new Response(body, { status: 201, headers: { "content-type": type, location: "http://127.0.0.1:1/x" } })
        : undefined;
    const error = await assertRejects(() => world.issuer().issue("shop.test", undefined, world.signal), AcmeError);
    assertEquals(/^one: Cannot (?:read|reach|order|prove)/.test(error.message), true, error.message);
  });
}

withAuthority("text of the authority comes without control characters, and bounded", async (world) => {
  world.authority.fault = ({ resource }) =>
    resource === "order" ? problem("malformed", `\x1b[31mred\r\n${"x".repeat(5000)}`) : undefined;
  const error = await assertRejects(() => world.issuer().issue("shop.test", undefined, world.signal), AcmeError);
  // deno-lint-ignore no-control-regex
  assertEquals(/[\x00-\x1f]/.test(error.message), false);
  assertEquals(error.message.length < 600, true);
});

withAuthority("an account that the authority has lost is made again with the next order", async (world) => {
  const issuer = world.issuer();
  await issuer.issue("one.test", undefined, world.signal);
  world.authority.fault = ({ resource }) =>
    resource === "order" ? problem("accountDoesNotExist", "who are you") : undefined;
  await assertRejects(() => issuer.issue("two.test", undefined, world.signal), AcmeError);
  world.authority.fault = undefined;
  await issuer.issue("two.test", undefined, world.signal);
  assertEquals(world.authority.count("account"), 2);
});

withAuthority("renewal asks for the window that the authority suggests, and says what it replaces", async (world) => {
  world.authority.window = [Date.UTC(2030, 0, 1), Date.UTC(2030, 0, 2)];
  const issuer = world.issuer();
  const { certificate } = await issuer.issue("shop.test", undefined, world.signal);
  const window = await issuer.renewalWindow(certificate, world.signal);
  assertEquals([window?.startMs, window?.endMs], [...world.authority.window]);
  assertEquals(world.authority.count("renewal"), 1);
  await issuer.issue("shop.test", certificate, world.signal);
  const payloads = world.authority.requests.filter(({ resource }) => resource === "order").map(({ payload }) =>
    payload
  );
  const replaces = payloads.map((payload) => (payload as { replaces?: string } | undefined)?.replaces);
  assertEquals(replaces.filter((one) => one !== undefined), [renewalIdentifier(certificate.chain)]);
});

withAuthority("an order that may not replace is sent without it", async (world) => {
  world.authority.window = [0, 1];
  const issuer = world.issuer();
  const { certificate } = await issuer.issue("shop.test", undefined, world.signal);
  world.authority.fault = ({ payload }) =>
    (payload as { replaces?: string } | undefined)?.replaces === undefined
      ? undefined
      : problem("alreadyReplaced", "by another order", { status: 409 });
  const { ordered } = await issuer.issue("shop.test", certificate, world.signal);
  assertEquals([ordered, world.authority.issued.length], [true, 2]);
});

withAuthority("without renewal information, or with one that is broken, nothing is suggested", async (world) => {
  const issuer = world.issuer();
  const { certificate } = await issuer.issue("shop.test", undefined, world.signal);
  assertEquals(await issuer.renewalWindow(certificate, world.signal), undefined);
  world.authority.window = [2, 1];
  assertEquals(await world.issuer().renewalWindow(certificate, world.signal), undefined);
});

withAuthority("an order that is broken off leaves neither lock nor token", async (world) => {
  const ending = new AbortController();
  world.authority.fault = ({ resource }) => {
    if (resource === "finalize") ending.abort(new Error("The server stops"));
    return undefined;
  };
  await assertRejects(() => world.issuer().issue("shop.test", undefined, ending.signal), Error, "The server stops");
  assertEquals(await world.store.list("challenges"), []);
  world.authority.fault = undefined;
  await world.issuer().issue("shop.test", undefined, world.signal);
});

withAuthority("a file that is no certificate is as none, and is replaced", async (world) => {
  const issuer = world.issuer();
  await issuer.issue("shop.test", undefined, world.signal);
  const folder = `certificates/${world.authority.directoryUrl.slice(7).replace(/[:/]/g, "-")}`;
  const [key] = await world.store.list(folder);
  await world.store.put(key, "garbage");
  assertEquals(await issuer.kept("shop.test"), undefined);
  await issuer.issue("shop.test", undefined, world.signal);
  assertEquals((await issuer.kept("shop.test"))?.names, ["shop.test"]);
});

withAuthority("a certificate that the store did not take is written with the next look at the store", async (world) => {
  const { store } = world;
  const issuer = world.issuer();
  const put = store.put.bind(store);
  store.put = (key, value) => key.startsWith("certificates/") ? Promise.reject(new Error("full")) : put(key, value);
  const { certificate } = await issuer.issue("shop.test", undefined, world.signal);
  await assertRejects(() => issuer.changed([]), Error, "full");
  assertEquals(await issuer.kept("shop.test"), undefined);
  store.put = put;
  assertEquals(await issuer.changed(["shop.test"]), []);
  assertEquals(await issuer.kept("shop.test"), certificate);
});
