/**
 * The store in a Redis: the contract of stores, locks that expire, and a Redis that is away.
 *
 * @module
 */

// @ts-types="../../../types/std/assert.d.ts"
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { RedisStore } from "../../../lib/listener/acme/redis_store.ts";
import { RedisConnection } from "../../../lib/redis/redis_connection.ts";
import { parseRedisUrl } from "../../../lib/redis/redis_url.ts";
import { certificateStoreContract } from "../../contract/certificate_store_contract.ts";
import { Certificates } from "../../support/certificates.ts";
import { until } from "../../support/condition.ts";
import { freePort } from "../../support/port.ts";
import { Redis, redisIsMissing } from "../../support/redis.ts";

const ignore = redisIsMissing;

interface OpenOptions {
  readonly prefix?: string;
  readonly lockMs?: number;
  readonly timeoutMs?: number;
  readonly caCerts?: readonly string[];
}

/** A store that closes with its scope. */
function open(
  url: string,
  { prefix = "bws:", timeoutMs = 20_000, ...more }: OpenOptions = {},
): RedisStore & Disposable {
  const address = parseRedisUrl(url);
  assert(address !== undefined, url);
  const store = new RedisStore({ ...address, prefix, timeoutMs, ...more });
  return Object.assign(store, { [Symbol.dispose]: () => store.close() });
}

function withRedis(name: string, work: (redis: Redis) => Promise<void>): void {
  Deno.test({ name, ignore }, async () => {
    await using redis = await Redis.start();
    await work(redis);
  });
}

certificateStoreContract("RedisStore", {
  ignore,
  place: async () => {
    const redis = await Redis.start();
    // A prefix is text, whatever it is to Redis's patterns.
    const prefix = "*[a]:";
    return { open: () => open(redis.url, { prefix }), [Symbol.asyncDispose]: () => redis[Symbol.asyncDispose]() };
  },
});

withRedis("RedisStore.lock() outlives its process until it expires, and no longer", async ({ url }) => {
  const gone = open(url, { lockMs: 200 });
  await gone.lock("shop.test");
  // A process that ends renews nothing and removes nothing.
  gone.close();
  using other = open(url);
  await using lock = await other.lock("shop.test");
  assertEquals(lock.lost.aborted, false);
});

withRedis("RedisStore.lock() is renewed while it is held, and lost once another process has it", async ({ url }) => {
  using store = open(url, { lockMs: 3000 });
  const lock = await store.lock("shop.test");
  const address = parseRedisUrl(url);
  assert(address !== undefined);
  const connection = await RedisConnection.open({ ...address, timeoutMs: 20_000 });
  const key = "bws:locks/shop.test";
  await connection.command(["PEXPIRE", key, "1000000"]);
  await until("it is renewed", async () => Number(await connection.command(["PTTL", key])) <= 3000);
  assertEquals(lock.lost.aborted, false);
  await connection.command(["SET", key, "another process"]);
  await until("it is lost", () => lock.lost.aborted);
  await lock[Symbol.asyncDispose]();
  assertEquals(await connection.command(["GET", key]), "another process");
  connection.close();
});

withRedis("RedisStore says what Redis refuses, without the password", async ({ url, port }) => {
  for (
    const [wrong, cause] of [[url.replace(/:[^:@]+@/, ":wrong@"), "WRONGPASS"], [
      url.replace(/\/\/.*@/, "//"),
      "NOAUTH",
    ]]
  ) {
    using store = open(wrong);
    const error = await assertRejects(() => store.get("a"), Error);
    assertStringIncludes(
      error.message,
      `Cannot use redis://127.0.0.1:${port}/1: ${cause}`.replace("use", error.message.split(" ")[1]),
    );
    assertEquals(error.message.includes("wrong@"), false);
  }
});

Deno.test({ name: "RedisStore fails while Redis is away, and works once it is back", ignore }, async () => {
  const port = freePort();
  let redis = await Redis.start({ port });
  using store = open(redis.url, { lockMs: 200 });
  try {
    await store.put("a", "1");
    const lock = await store.lock("shop.test");
    await redis[Symbol.asyncDispose]();
    const error = await assertRejects(() => store.get("a"), Error);
    assertStringIncludes(error.message, `Cannot reach redis://127.0.0.1:${port}/1: `);
    await until("the lock is given up, as others may have it", () => lock.lost.aborted);
    await lock[Symbol.asyncDispose]();
    redis = await Redis.start({ port });
    await until("it responds", () => store.put("a", "2").then(() => true, () => false));
    assertEquals(await store.get("a"), "2");
  } finally {
    await redis[Symbol.asyncDispose]();
  }
});

Deno.test("RedisStore gives up a Redis that is silent, and fails at once for a moment after", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepted: Deno.Conn[] = [];
  const accepting = (async () => {
    for await (const conn of listener) accepted.push(conn);
  })();
  using store = open(`redis://127.0.0.1:${listener.addr.port}`, { timeoutMs: 400 });
  const [first, second] = await Promise.all([1, 2].map(() => assertRejects(() => store.get("a"), Error)));
  assertStringIncludes(first.message, "No reply within 400 ms");
  assertEquals(second.message, first.message);
  await assertRejects(() => store.get("a"), Error, "No reply within 400 ms");
  assertEquals(accepted.length, 1);
  for (const conn of accepted) conn.close();
  listener.close();
  await accepting;
});

Deno.test({ name: "RedisStore speaks TLS, and trusts the authority that it is told", ignore }, async () => {
  await using certificates = await Certificates.make("IP:127.0.0.1");
  await using redis = await Redis.start({ tls: certificates });
  using store = open(redis.url, { caCerts: [await Deno.readTextFile(certificates.caFile)] });
  await store.put("a", "1");
  assertEquals(await store.get("a"), "1");
  using stranger = open(redis.url);
  await assertRejects(() => stranger.get("a"), Error, "UnknownIssuer");
});
