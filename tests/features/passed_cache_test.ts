/**
 * What a pass of forward_auth holds for.
 *
 * @module
 */

// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertNotEquals } from "@std/assert";
import { Exchange } from "../../lib/exchange/exchange.ts";
import { PassedCache } from "../../lib/features/forward_auth/passed_cache.ts";
import { ProxyTrust } from "../../lib/http/client_address.ts";
import { readForwardedClient } from "../../lib/http/forwarded_client.ts";
import type { RequestHead } from "../../lib/http/message.ts";

function asked(headers: string[] = ["cookie", "theme=dark"]): Exchange {
  const peer = { address: "9.9.9.9", port: 1 };
  const head: RequestHead = {
    ...{ method: "GET", path: "/", query: "", authority: "a.test", host: "a.test", scheme: "https" as const },
    ...{ headers, peer },
  };
  return new Exchange(head, { body: null, signal: new AbortController().signal }, { exchangeEnded: () => {} });
}

Deno.test("PassedCache.keyOf() tells users apart whose credentials basic_auth or jwt has removed", () => {
  for (const byUri of [true, false]) {
    const cache = new PassedCache(1000, byUri);
    const [ann, bob, again] = [asked(), asked(), asked()];
    [ann.user, bob.user, again.user] = ["ann", "bob", "ann"];
    assertNotEquals(cache.keyOf(bob), cache.keyOf(ann));
    assertEquals(cache.keyOf(again), cache.keyOf(ann));
  }
});

Deno.test("PassedCache.keyOf() tells hosts apart that a trusted proxy reports", () => {
  const cache = new PassedCache(1000, true);
  const keyOf = (host: string) => {
    const exchange = asked(["cookie", "s=1", "x-forwarded-host", host]);
    exchange.forwarded = readForwardedClient(exchange.head.headers, "9.9.9.9", new ProxyTrust(["9.9.9.9"]));
    return cache.keyOf(exchange);
  };
  assertNotEquals(keyOf("b.test"), keyOf("c.test"));
  assertEquals(keyOf("b.test"), keyOf("b.test"));
});
