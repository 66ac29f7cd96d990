// @ts-types="../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { type HttpResponse, LATER, type RequestHead } from "../../lib/http/message.ts";
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

/** A pipeline whose handler responds later, with lent bytes that are gone once the call returns. */
function late(filters: readonly Filter[]) {
  const memory = new Uint8Array([1, 2, 3]);
  const given: { response: HttpResponse; bytes: number[] }[] = [];
  const client = {
    ...{ body: null, signal: new AbortController().signal },
    respondLate: (response: HttpResponse) =>
      void given.push({ response, bytes: [...response.body as Uint8Array<ArrayBuffer>] }),
  };
  const { end } = traced();
  const pipeline = new Pipeline(filters, { handle: () => LATER }, { ...end, deliver: (_, seen) => seen });
  const exchange = new Exchange(HEAD, client, { exchangeEnded: () => {} });
  const made = pipeline.run(exchange);
  const respond = () => {
    exchange.respondLate({ status: 200, headers: [], body: memory, lent: true });
    memory.fill(0);
  };
  return { exchange, given, made, respond };
}

Deno.test("Pipeline.resume() passes a late response on within the call, its lent bytes without a copy", () => {
  const { exchange, given, made, respond } = late([]);
  assertEquals([made === LATER, exchange.takesLate], [true, true]);
  respond();
  assertEquals(given.map(({ bytes, response }) => [bytes, response.lent]), [[[1, 2, 3], true]]);
});

Deno.test("Pipeline.resume() gives filters bytes that they may keep, and waits for them", async () => {
  const kept: HttpResponse[] = [];
  const response = (_: Exchange, seen: HttpResponse) => {
    kept.push(seen);
    return Promise.resolve(seen);
  };
  const { given, respond } = late([{ response }]);
  respond();
  assertEquals(given, []);
  await Promise.resolve();
  await Promise.resolve();
  await Promise.resolve();
  assertEquals([given[0]?.bytes, [...kept[0].body as Uint8Array<ArrayBuffer>]], [[1, 2, 3], [1, 2, 3]]);
});

Deno.test("Exchange.takesLate is false for a held exchange, and where the listener awaits a promise", () => {
  const { exchange: held } = late([]);
  held.held = true;
  assertEquals([held.takesLate, exchange().takesLate], [false, false]);
});
