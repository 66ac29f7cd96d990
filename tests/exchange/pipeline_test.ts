// @ts-types="../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import type { RequestHead } from "../../lib/http/message.ts";
import { Exchange } from "../../lib/exchange/exchange.ts";
import { ExchangeFailure } from "../../lib/exchange/exchange_failure.ts";
import type { Filter, Handler } from "../../lib/exchange/filter.ts";
import { Pipeline } from "../../lib/exchange/pipeline.ts";

const HEAD: RequestHead = {
  ...{ method: "GET", path: "/", query: "", authority: "a", host: "a", scheme: "http", headers: [] },
  peer: { address: "1.2.3.4", port: 1 },
};

const response = (status: number) => ({ status, headers: [], body: null });

/** Notes who saw what, in order; filters are named that respond, refuse or throw. */
function traced({ early = "", refusing = "", failing = "", failingBack = "", late = false } = {}) {
  const steps: string[] = [];
  const give = <T>(value: T): T | Promise<T> => late ? Promise.resolve(value) : value;
  const filter = (name: string): Filter => ({
    request: () => {
      steps.push(`${name}>`);
      if (name === failing && late) return Promise.reject(new Error(name));
      if (name === failing) throw new Error(name);
      return give(name === early ? response(401) : name === refusing ? new ExchangeFailure(403, name) : undefined);
    },
    response: (_, seen) => {
      steps.push(`${name}<${seen.status}`);
      if (name === failingBack && late) return Promise.reject(new Error(name));
      if (name === failingBack) throw new Error(name);
      return give(seen);
    },
  });
  const handler: Handler = {
    handle: () => {
      steps.push("handler");
      if (failing === "handler" && late) return Promise.reject(new Error("handler"));
      if (failing === "handler") throw new Error("handler");
      return give(response(200));
    },
    failure: (_, error) => failing === "handler" ? new ExchangeFailure(502, (error as Error).message) : undefined,
  };
  const end = {
    fail: (_: Exchange, { cause }: ExchangeFailure) => {
      steps.push(`failed ${/^Internal error: Error: (.*)/.exec(cause)?.[1] ?? cause}`);
      return response(500);
    },
    deliver: (_: Exchange, seen: ReturnType<typeof response>) => {
      steps.push(`delivered ${seen.status}`);
      return seen;
    },
  };
  return { steps, filter, handler, end };
}

function exchange(): Exchange {
  const client = { body: null, signal: new AbortController().signal };
  return new Exchange(HEAD, client, { exchangeEnded: () => {} });
}

async function stepsOf(options: Parameters<typeof traced>[0]): Promise<string> {
  const { steps, filter, handler, end } = traced(options);
  await new Pipeline([filter("a"), filter("b"), filter("c")], handler, end).run(exchange());
  return steps.join(" ");
}

for (const late of [false, true]) {
  const how = late ? "with promises" : "without promises";

  Deno.test(`Pipeline.run() goes down to the handler and back up, ${how}`, async () => {
    assertEquals(await stepsOf({ late }), "a> b> c> handler c<200 b<200 a<200 delivered 200");
  });

  Deno.test(`Pipeline.run() takes an early response through the filters before it only, ${how}`, async () => {
    assertEquals(await stepsOf({ late, early: "b" }), "a> b> a<401 delivered 401");
    assertEquals(await stepsOf({ late, early: "a" }), "a> delivered 401");
    assertEquals(await stepsOf({ late, early: "c" }), "a> b> c> b<401 a<401 delivered 401");
  });

  Deno.test(`Pipeline.run() takes an error response through the filters that the request had passed, ${how}`, async () => {
    assertEquals(await stepsOf({ late, failing: "b" }), "a> b> failed b a<500 delivered 500");
    assertEquals(await stepsOf({ late, refusing: "b" }), "a> b> failed b a<500 delivered 500");
    assertEquals(
      await stepsOf({ late, failing: "handler" }),
      "a> b> c> handler failed handler c<500 b<500 a<500 delivered 500",
    );
    assertEquals(
      await stepsOf({ late, failingBack: "b" }),
      "a> b> c> handler c<200 b<200 failed b a<500 delivered 500",
    );
  });
}

Deno.test("Pipeline.run() gives no promise where nothing is waited for", () => {
  const { filter, handler, end } = traced();
  const made = new Pipeline([filter("a")], handler, end).run(exchange());
  assertEquals(made instanceof Promise, false);
});

Deno.test("Pipeline.run() passes filters that look at one direction alone", () => {
  const { steps, filter, handler, end } = traced({ early: "c" });
  const { request } = filter("a");
  const { response: up } = filter("b");
  new Pipeline([{ request }, { response: up }, {}, filter("c")], handler, end).run(exchange());
  assertEquals(steps.join(" "), "a> c> b<401 delivered 401");
});

Deno.test("Pipeline.run() of a route without filters is its handler and the delivery", () => {
  const { steps, handler, end } = traced();
  new Pipeline([], handler, end).run(exchange());
  assertEquals(steps, ["handler", "delivered 200"]);
});
