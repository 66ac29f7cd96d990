// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { exportJWK, exportSPKI, generateKeyPair, type JWTPayload, SignJWT } from "jose";
import { bearerToken, TokenFault } from "../../lib/features/jwt/bearer_token.ts";
import { claimOf, fieldOf, missingClaim } from "../../lib/features/jwt/claims.ts";
import { jwt } from "../../lib/features/jwt/jwt.ts";
import { jwtKeys } from "../../lib/features/jwt/jwt_schema.ts";
import { parsePublicKeys } from "../../lib/features/jwt/public_key_kind.ts";
import type { JwtInput } from "../../lib/generation/config/config_types.ts";
import { resolveConfig } from "../../lib/generation/config/resolve_config.ts";
import { shownConfig } from "../../lib/generation/config/shown_config.ts";
import type { RequestHead } from "../../lib/http/message.ts";
import { createHandler } from "../../lib/process/create_handler.ts";
import { exchange } from "../support/raw_client.ts";
import { RunningProxy } from "../support/running_proxy.ts";
import { inTemporaryFolder } from "../support/temporary_folder.ts";

const SECRET = "a secret of 32 characters and more";
const HOUR = 3600;
const now = () => Math.floor(Date.now() / 1000);

interface Signer {
  readonly alg: string;
  readonly key: Parameters<SignJWT["sign"]>[0];
  readonly kid?: string;
}

function sign({ alg, key, kid }: Signer, claims: JWTPayload = {}): Promise<string> {
  return new SignJWT({ sub: "ann", exp: now() + HOUR, ...claims }).setProtectedHeader({ alg, kid }).sign(key);
}

const pairs = new Map<string, Promise<Awaited<ReturnType<typeof generateKeyPair>>>>();

/** A pair of keys for an algorithm, made once. */
function pairOf(alg: string) {
  let pair = pairs.get(alg);
  if (pair === undefined) pairs.set(alg, pair = generateKeyPair(alg, { extractable: true }));
  return pair;
}

const hs = { alg: "HS256", key: new TextEncoder().encode(SECRET) };

/** A site that asks for tokens, in front of an upstream that repeats the fields of its requests. */
class Guarded implements AsyncDisposable {
  readonly #upstream: Deno.HttpServer<Deno.NetAddr>;
  readonly #handler: ReturnType<typeof createHandler>;

  constructor(table: JwtInput) {
    this.#upstream = Deno.serve(
      { port: 0, hostname: "127.0.0.1", onListen: () => {} },
      ({ headers }) => Response.json(Object.fromEntries(headers)),
    );
    this.#handler = createHandler({
      sites: [{
        jwt: table,
        proxy: {
          upstreams: [{ name: "app", url: `http://127.0.0.1:${this.#upstream.addr.port}` }],
          routes: [{ path: "/", upstream: "app" }],
        },
      }],
    });
  }

  async ask(token: string | undefined, headers: Record<string, string> = {}, path = "/") {
    const authorization: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const request = new Request(`http://localhost${path}`, { headers: { ...authorization, ...headers } });
    const response = await this.#handler(request);
    const text = await response.text();
    const challenge = response.headers.get("www-authenticate") ?? "";
    return { status: response.status, challenge, told: response.ok ? JSON.parse(text) as Record<string, string> : {} };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handler.close();
    await this.#upstream.shutdown();
  }
}

Deno.test("jwt verifies RSA, elliptic curves, Ed25519 and shared secrets", async () => {
  for (const alg of ["RS256", "PS384", "ES256", "ES512", "EdDSA"]) {
    const { publicKey, privateKey } = await pairOf(alg);
    await using guarded = new Guarded({ public_key: await exportSPKI(publicKey) });
    const token = await sign({ alg, key: privateKey });
    assertEquals((await guarded.ask(token)).status, 200, alg);
    assertEquals((await guarded.ask(await sign({ alg, key: privateKey, kid: "any" }))).status, 200, alg);
    const { privateKey: other } = await generateKeyPair(alg);
    const forged = await guarded.ask(await sign({ alg, key: other }));
    assertEquals([forged.status, forged.challenge], [
      401,
      'Bearer realm="Restricted", error="invalid_token", error_description="The token\'s signature is wrong"',
    ], alg);
    const [head, , tail] = token.split(".");
    const changed = btoa(JSON.stringify({ sub: "root", exp: now() + HOUR })).replaceAll("=", "");
    assertEquals((await guarded.ask(`${head}.${changed}.${tail}`)).status, 401, alg);
  }
  await using guarded = new Guarded({ secret: SECRET });
  assertEquals((await guarded.ask(await sign(hs))).status, 200);
  assertEquals((await guarded.ask(await sign({ ...hs, key: new TextEncoder().encode(`${SECRET}!`) }))).status, 401);
});

Deno.test("jwt refuses tokens without a signature, and those that take a public key for a secret", async () => {
  const { publicKey, privateKey } = await pairOf("RS256");
  const pem = await exportSPKI(publicKey);
  await using guarded = new Guarded({ public_key: pem });
  const encoded = (value: unknown) => btoa(JSON.stringify(value)).replaceAll("=", "");
  const claims = encoded({ sub: "root", exp: now() + HOUR });
  for (const alg of ["none", "None", "NONE", "", null, 1, ["RS256"], {}]) {
    assertEquals((await guarded.ask(`${encoded({ alg })}.${claims}.`)).status, 401, JSON.stringify(alg));
  }
  for (const key of [pem, pem.trim(), JSON.stringify(await exportJWK(publicKey))]) {
    const token = await sign({ alg: "HS256", key: new TextEncoder().encode(key) }, { sub: "root" });
    const { status, challenge } = await guarded.ask(token);
    assertEquals(status, 401);
    assertStringIncludes(challenge, "The token's algorithm is not accepted");
  }
  for (const token of ["x", "a.b", "a.b.c", "..", `${encoded({ alg: "RS256", crit: ["x"], x: 1 })}.${claims}.AAAA`]) {
    assertEquals((await guarded.ask(token)).status, 401, token);
  }
  // Only what algorithms lists, though the key would do for it.
  await using narrow = new Guarded({ public_key: pem, algorithms: ["PS256"] });
  assertEquals((await narrow.ask(await sign({ alg: "RS256", key: privateKey }))).status, 401);
});

Deno.test("jwt checks times, issuer and audience, and asks for exp", async () => {
  await using guarded = new Guarded({ secret: SECRET, issuer: ["https://id.test"], audience: ["app"], leeway: "5s" });
  const good = { iss: "https://id.test", aud: ["other", "app"] };
  const cases: [JWTPayload, number, string][] = [
    [good, 200, ""],
    [{ ...good, aud: "app", exp: now() - 2 }, 200, ""],
    [{ ...good, exp: now() - 8 }, 401, "has expired"],
    [{ ...good, nbf: now() + 60 }, 401, "nbf is not accepted"],
    [{ ...good, nbf: now() + 2 }, 200, ""],
    [{ ...good, aud: "apps" }, 401, "aud is not accepted"],
    [{ ...good, iss: "https://id.test.evil" }, 401, "iss is not accepted"],
    [{ aud: "app" }, 401, "iss is not accepted"],
    [{ ...good, exp: undefined }, 401, "exp is not accepted"],
  ];
  for (const [claims, status, description] of cases) {
    const got = await guarded.ask(await sign(hs, claims));
    assertEquals(got.status, status, JSON.stringify(claims));
    assertStringIncludes(got.challenge, description);
  }
  const { status, challenge } = await guarded.ask(undefined);
  assertEquals([status, challenge], [401, 'Bearer realm="Restricted"']);
  await using lasting = new Guarded({ secret: SECRET, require_exp: false });
  assertEquals((await lasting.ask(await sign(hs, { exp: undefined }))).status, 200);
});

Deno.test("jwt requires claims, and tells them to upstreams in fields that clients cannot set", async () => {
  await using guarded = new Guarded({
    secret: SECRET,
    require: { "realm_access.roles": ["admin", "staff"], scope: ["read"] },
    claim_headers: { "X-User": "sub", "X-Roles": "realm_access.roles", "X-Name": "name" },
    forward_token: false,
  });
  const claims = { realm_access: { roles: ["guest", "staff"] }, scope: "write read", name: "Grün\r\nx-admin: 1" };
  const forged = { "x-user": "root", "x_user": "root", "X.Name": "root", "connection": "x-user" };
  const { status, told } = await guarded.ask(await sign(hs, claims), forged);
  assertEquals(status, 200);
  assertEquals([told["x-user"], told["x-roles"], told["x-name"], told["x_user"], told["x.name"]], [
    ...["ann", "guest,staff", undefined, undefined, undefined],
  ]);
  assertEquals(told.authorization, undefined);
  for (const missing of [{ ...claims, scope: "reader" }, { ...claims, realm_access: { roles: ["guest"] } }, {}]) {
    const refused = await guarded.ask(await sign(hs, missing));
    assertEquals([refused.status, refused.challenge], [403, 'Bearer realm="Restricted", error="insufficient_scope"']);
  }
});

Deno.test("jwt fetches keys, keeps them while the issuer is down, and asks for unknown ones not too often", async () => {
  const [first, second] = [await generateKeyPair("ES256"), await generateKeyPair("ES256")];
  const jwkOf = async ({ publicKey }: typeof first, kid: string) => ({ ...await exportJWK(publicKey), kid });
  let body = "";
  let status = 200;
  let fetched = 0;
  const issuer = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, () => {
    fetched++;
    return new Response(body, { status });
  });
  const jwks_url = `http://127.0.0.1:${issuer.addr.port}/keys`;
  const oct = { kty: "oct", kid: "first", k: btoa(SECRET) };
  body = JSON.stringify({ keys: [oct, await jwkOf(first, "first")] });
  const one = await sign({ alg: "ES256", key: first.privateKey, kid: "first" });
  const two = await sign({ alg: "ES256", key: second.privateKey, kid: "second" });
  {
    await using guarded = new Guarded({ jwks_url, jwks_cooldown: "1ms", jwks_refresh: "1h" });
    assertEquals((await guarded.ask(one)).status, 200);
    assertEquals(fetched, 1);
    assertEquals((await guarded.ask(two)).status, 401);
    assertEquals(fetched, 2);
    const confused = await sign({ alg: "HS256", key: new TextEncoder().encode(SECRET), kid: "first" });
    assertEquals((await guarded.ask(confused)).status, 401);
    // Rotated: the new key is found by its name, and the withdrawn one holds no longer, remembered or not.
    body = JSON.stringify({ keys: [await jwkOf(second, "second")] });
    assertEquals((await guarded.ask(two)).status, 200);
    assertEquals((await guarded.ask(one)).status, 401);
    status = 500;
    assertEquals((await guarded.ask(two)).status, 200);
    [status, body] = [200, "x".repeat(300_000)];
    assertEquals((await guarded.ask(one)).status, 401);
    assertEquals((await guarded.ask(two)).status, 200);
  }
  status = 500;
  fetched = 0;
  {
    await using guarded = new Guarded({ jwks_url, jwks_cooldown: "1h" });
    assertEquals([(await guarded.ask(one)).status, (await guarded.ask(two)).status, fetched], [503, 503, 1]);
  }
  await issuer.shutdown();
});

Deno.test("jwt takes tokens of a cookie and of the query where the config says so, and one token alone", async () => {
  await using guarded = new Guarded({ secret: SECRET, cookie: "token", query: "access_token" });
  const [token, other] = [await sign(hs), await sign(hs, { sub: "bob" })];
  const statusOf = async (bearer: string | undefined, headers: Record<string, string> = {}, path = "/") =>
    (await guarded.ask(bearer, headers, path)).status;
  assertEquals(await statusOf(undefined, { cookie: `a=b; token=${token}` }), 200);
  assertEquals(await statusOf(undefined, {}, `/?x&access_token=${token}`), 200);
  assertEquals(await statusOf(undefined, { cookie: `xtoken=${token}` }), 401);
  assertEquals(await statusOf(token, { cookie: `token=${token}` }), 200);
  assertEquals(await statusOf(token, { cookie: `token=${other}` }), 400);
  assertEquals(await statusOf(undefined, { cookie: `token=${token}; token=${other}` }), 400);
  assertEquals(await statusOf(undefined, { authorization: `bEARER ${token}` }), 200);
  assertEquals(await statusOf(undefined, { authorization: `Bearer ${token} x` }), 400);
  assertEquals(await statusOf(undefined, { authorization: `Basic ${token}` }), 401);
  assertEquals(await statusOf("x".repeat(17_000)), 401);
  const head = (...headers: string[]) => ({ headers, query: "" }) as unknown as RequestHead;
  assert(bearerToken(head("authorization", "Bearer a", "Authorization", "Bearer a"), {}) instanceof TokenFault);
});

Deno.test("jwt refuses two Authorization lines", async () => {
  const upstream = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, () => new Response("x"));
  await using proxy = await RunningProxy.start({
    upstreams: [`http://127.0.0.1:${upstream.addr.port}`],
    site: { jwt: { secret: SECRET } },
  });
  const line = `authorization: Bearer ${await sign(hs)}\r\n`;
  const ask = async (lines: string) => {
    const { firstLine } = await exchange(proxy.port, `GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n${lines}\r\n`);
    return firstLine.split(" ")[1];
  };
  assertEquals([await ask(line), await ask(line + line), await ask("")], ["200", "400", "401"]);
  await upstream.shutdown();
});

Deno.test("jwt finds what is wrong with its keys when the config is read, and shows no secret", async () => {
  const found: string[] = [];
  const note = (_: unknown, { message }: { message: string }) => void found.push(message);
  const check = (table: JwtInput) => {
    found.length = 0;
    jwt.check(jwtKeys.parse(table), { error: note, warning: note });
    return found.join();
  };
  assertEquals(check({}), "jwt has no key: no token could be verified");
  assertEquals(check({ enabled: false }), "");
  assertEquals(check({ secret: SECRET, algorithms: ["HS256", "RS256"] }), "there is no key for RS256");
  assertStringIncludes(check({ jwks_url: "http://id.test/keys" }), "without TLS");
  const { privateKey } = await generateKeyPair("ES256", { extractable: true });
  const secretKey = JSON.stringify(await exportJWK(privateKey));
  assert(!jwtKeys.safeParse({ public_key: secretKey }).success);
  assert(!jwtKeys.safeParse({ public_key: JSON.stringify({ kty: "oct", k: "AAAA" }) }).success);
  assert(!jwtKeys.safeParse({ secret: "short" }).success);
  for (const algorithm of ["none", "RS1"]) assert(!jwtKeys.safeParse({ algorithms: [algorithm] }).success);
  await inTemporaryFolder({ "key.json": secretKey, "secret": "short\n" }, (folder) => {
    assertEquals(check({ key_file: `${folder}/key.json` }), "key_file has a private key, which only the issuer needs");
    assertEquals(check({ secret_file: `${folder}/secret` }), "secret_file has 5 bytes");
  });
  const { config } = resolveConfig({ sites: [{ static_dir: "tests/www", jwt: { secret: SECRET } }] });
  assert(!JSON.stringify(shownConfig(config)).includes(SECRET));
});

Deno.test("parsePublicKeys() reads PEM of keys and certificates, and JWKS", async () => {
  const keys = await Promise.all(["RS256", "ES256"].map(async (alg) => (await pairOf(alg)).publicKey));
  const pem = (await Promise.all(keys.map(exportSPKI))).join("\n");
  assertEquals(parsePublicKeys(pem).map(({ kty }) => kty), ["RSA", "EC"]);
  const jwks = JSON.stringify({ keys: await Promise.all(keys.map(exportJWK)) });
  assertEquals(parsePublicKeys(jwks).map(({ kty }) => kty), ["RSA", "EC"]);
});

Deno.test("claims are found by their name and by a path, and are told as one line", () => {
  const claims = { "https://a.test/roles": ["x"], a: { b: "c" }, n: 5, flag: true, scp: "one two" };
  assertEquals([claimOf(claims, "https://a.test/roles"), claimOf(claims, "a.b"), claimOf(claims, "a.b.c")], [
    ...[["x"], "c", undefined],
  ]);
  assertEquals([claimOf(claims, "constructor"), claimOf(claims, "a.__proto__")], [undefined, undefined]);
  assertEquals(missingClaim(claims, { n: ["5"], flag: ["true"], scp: ["two"] }), undefined);
  assertEquals(missingClaim(claims, { n: ["5"], "a.b": ["d"] }), "a.b");
  assertEquals([fieldOf(["a", 1]), fieldOf({}), fieldOf("a\nb"), fieldOf("é"), fieldOf("")], [
    ...["a,1", undefined, undefined, "\xc3\xa9", undefined],
  ]);
});
