// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertStringIncludes } from "@std/assert";
import type { BodySink, BodySource } from "../../lib/http/body.ts";
import type { Socket } from "../../lib/sockets/socket.ts";
import type { HttpResponse, RequestHead, Upgrade } from "../../lib/http/message.ts";
import { givenId } from "../../lib/http/request_id.ts";
import { Delivery } from "../../lib/exchange/delivery.ts";
import { Exchange } from "../../lib/exchange/exchange.ts";
import { ExchangeFailure } from "../../lib/exchange/exchange_failure.ts";
import type { Filter } from "../../lib/exchange/filter.ts";
import { RequestIdField } from "../../lib/features/request_id.ts";
import { jsonAccessLine } from "../../lib/log/json_access_line.ts";

const HEAD: RequestHead = {
  ...{ method: "GET", path: "/a", query: "?b", authority: "a", host: "a", scheme: "http", headers: [] },
  peer: { address: "1.2.3.4", port: 1 },
};

/** An exchange, with what its end told whom. */
function begun(method = "GET") {
  const ended: string[] = [];
  const client = { body: null, signal: new AbortController().signal };
  const exchange = new Exchange({ ...HEAD, method }, client, {
    exchangeEnded: (one) => {
      const { status, bytes, path, request_id } = JSON.parse(jsonAccessLine(one));
      ended.push(`record ${status} ${bytes} ${path} ${request_id}`);
    },
  });
  exchange.id = givenId("id-1");
  exchange.metrics = {
    received: () => {},
    sent: () => {},
    ended: ({ status, bytes }) => void ended.push(`metrics ${status} ${bytes}`),
  };
  return { exchange, ended };
}

const delivery = (...filters: Filter[]) => new Delivery([new RequestIdField("x-id"), ...filters], undefined);
const response = (body: HttpResponse["body"] = null, status = 200): HttpResponse => ({ status, headers: [], body });
const bytes = (length: number) => new Uint8Array(length);

/** A body of `count` pieces of 10 bytes; `failing` breaks off in place of the end. */
function pieces(count: number, failing?: unknown): BodySource {
  let sink: BodySink | undefined;
  return {
    start: (taker) => void (sink = taker),
    pull: () => {
      if (count-- > 0) sink?.piece(bytes(10), "shared");
      else if (failing === undefined) sink?.end();
      else sink?.fail(failing);
    },
    cancel: () => {},
  };
}

/** Pulls a body to its end; how that was. */
function drained(body: HttpResponse["body"]): string {
  let end = "";
  const source = body as BodySource;
  source.start({
    piece: () => source.pull(),
    end: () => end = "end",
    fail: (reason) => end = String(reason),
  });
  source.pull();
  return end;
}

Deno.test("Delivery.deliver() ends an exchange whose body is whole, once, with its id, its record and its metrics", () => {
  const { exchange, ended } = begun();
  const { headers } = delivery().deliver(exchange, response(bytes(5)));
  assertEquals(headers, ["x-id", "id-1"]);
  assertEquals(ended, ["metrics 200 5", "record 200 5 /a?b id-1"]);
  exchange.end();
  assertEquals(ended.length, 2);
});

Deno.test("Delivery.deliver() counts no bytes of a response to HEAD", () => {
  const { exchange, ended } = begun("HEAD");
  delivery().deliver(exchange, response(bytes(5)));
  assertEquals(ended[0], "metrics 200 0");
});

Deno.test("Delivery.deliver() ends an exchange with its body: at its end, where it breaks off, or when nobody wants it", () => {
  for (
    const [failing, cancelled, end, record] of [
      [undefined, false, "end", "record 200 30 /a?b id-1"],
      [new Error("broken"), false, "bws: id-1: response cut short: broken", "record 200 30 /a?b id-1"],
      [undefined, true, "", "record 499 0 /a?b id-1"],
    ] as const
  ) {
    const { exchange, ended } = begun();
    const { body } = delivery().deliver(exchange, response(pieces(3, failing)));
    assertEquals(ended, []);
    if (cancelled) (body as BodySource).cancel("gone");
    else assertEquals(drained(body), end);
    assertEquals([ended.length, ended[1]], [2, record]);
    (body as BodySource).cancel("again");
    assertEquals(ended.length, 2);
  }
});

Deno.test("Delivery.refuse() gives the error response, of a filter where one makes it, and notes why", () => {
  const { exchange, ended } = begun();
  const refused = delivery().refuse(
    exchange,
    new ExchangeFailure(401, "no token", { lines: ["www-authenticate", "x"] }),
  );
  assertEquals([refused.status, refused.headers.slice(0, 2), ended.length], [401, ["www-authenticate", "x"], 2]);
  assertEquals([exchange.cause, exchange.causeOwner], ["no token", "client"]);
  const page: Filter = { errorResponse: (_, { status }) => status === 404 ? response(bytes(3), 404) : undefined };
  assertEquals(delivery(page).refuse(begun().exchange, new ExchangeFailure(404, "none")).body?.constructor, Uint8Array);
  const redirect: Filter = { errorResponse: () => ({ ...response(null, 308), headers: ["location", "/b"] }) };
  const { exchange: redirected } = begun();
  delivery(redirect).refuse(redirected, new ExchangeFailure(404, "none"));
  assertEquals([redirected.status, redirected.cause], [308, ""]);
});

Deno.test("Delivery.deliver() ends the exchange of a WebSocket when that closes, or when it cannot be opened", () => {
  const begins: WebSocket[] = [];
  const tunnels: number[] = [];
  const upgrade: Upgrade = {
    idleTimeoutSeconds: 1,
    begin: (socket) => void begins.push(socket),
    tunnel: (_, early) => void tunnels.push(early.length),
    fail: () => response(null, 500),
  };
  const { exchange, ended } = begun();
  const upgraded = delivery().deliver(exchange, { ...response(null, 101), upgrade });
  upgraded.upgrade?.begin({} as WebSocket);
  upgraded.upgrade?.tunnel?.({} as Socket, bytes(3));
  assertEquals(tunnels, [3]);
  assertEquals([begins.length, ended, upgraded.headers], [1, [], ["x-id", "id-1"]]);
  exchange.delivery?.ended(exchange);
  assertEquals(ended, ["metrics 101 0", "record 101 0 /a?b id-1"]);
  const { exchange: other, ended: otherEnded } = begun();
  const failed = delivery().deliver(other, { ...response(null, 101), upgrade }).upgrade?.fail("too late");
  assertEquals([failed?.status, failed?.headers.includes("x-id"), otherEnded.length], [500, true, 2]);
  assertStringIncludes(other.cause, "too late");
});

Deno.test("Delivery.release() ends an exchange that middleware held, and keeps what that said of a field", () => {
  const { exchange, ended } = begun();
  exchange.held = true;
  const fields: Filter = { fields: (_, lines) => void lines.push("X-A", "site", "X-B", "site") };
  const inside = delivery(fields).deliver(exchange, response(bytes(5)));
  assertEquals([inside.headers.length, ended], [6, []]);
  const outside = delivery(fields).release(exchange, { ...response(bytes(2), 203), headers: ["x-a", "mine"] });
  assertEquals(outside.headers, ["x-a", "mine", "X-B", "site", "x-id", "id-1"]);
  assertEquals(ended, ["metrics 203 2", "record 203 2 /a?b id-1"]);
});

Deno.test("Delivery.deliver() adds the lines of its own behind what the config changes", () => {
  const { exchange } = begun();
  exchange.addLine("set-cookie", "a=1");
  const cleared: Filter = { fields: (_, lines) => void (lines.length = 0) };
  assertEquals(delivery(cleared).deliver(exchange, { ...response(), headers: ["set-cookie", "b"] }).headers, [
    ...["x-id", "id-1", "set-cookie", "a=1"],
  ]);
});
