// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals, assertRejects } from "@std/assert";
import { Delivery } from "../../../lib/exchange/delivery.ts";
import { Exchange } from "../../../lib/exchange/exchange.ts";
import { TransportFailure } from "../../../lib/failure/failure.ts";
import { Attempt } from "../../../lib/handlers/proxy/attempt.ts";
import type { ShouldRetry } from "../../../lib/handlers/proxy/attempt_listener.ts";
import type { ForwardPlan } from "../../../lib/handlers/proxy/forward.ts";
import { ResponseHeaders } from "../../../lib/handlers/proxy/response_headers.ts";
import { RetryableResponse } from "../../../lib/handlers/proxy/retryable_response.ts";
import type { ResponseHead } from "../../../lib/http1/response_head.ts";
import type { UpgradedConnection, UpstreamUpgrade } from "../../../lib/handlers/proxy/upstream_upgrade.ts";
import type { BodySource } from "../../../lib/http/body.ts";
import type { HttpResponse, RequestHead } from "../../../lib/http/message.ts";
import { localMetricFields } from "../../../lib/metrics/metric_fields.ts";
import { parseEndpoint } from "../../../lib/sockets/endpoint.ts";
import { CoarseClock } from "../../../lib/state/coarse_clock.ts";
import type { FailureClass } from "../../../lib/upstream/condition/failure_class.ts";
import { type Slot, Upstream } from "../../../lib/upstream/upstream.ts";
import { UPSTREAM_METRICS } from "../../../lib/upstream/upstream_metrics.ts";
import { BlackHole } from "../../support/black_hole.ts";
import { until } from "../../support/condition.ts";
import { text } from "../../support/message_reader.ts";
import { answerOf, ScriptedUpstream, type UpstreamScript } from "../../support/scripted_upstream.ts";

const GET = "GET / HTTP/1.1\r\nhost: x\r\n\r\n";
const SILENCE = { readTimeoutMs: 5000, writeTimeoutMs: 5000, clientTimeoutMs: 5000 };

/** An upstream on its own, whose attempts are made one by one. */
class Place implements AsyncDisposable {
  readonly upstream: Upstream;
  readonly metrics = UPSTREAM_METRICS.take(localMetricFields(), "upstream");
  readonly exchanges: Exchange[] = [];
  /** Exchanges that have ended. */
  ended = 0;
  /** How its attempts counted. */
  readonly outcomes: (number | FailureClass)[] = [];

  constructor(url: string) {
    this.upstream = new Upstream({
      ...{ url, endpoint: parseEndpoint(url), weight: 1, maxConnections: 0, clock: new CoarseClock(5), ...SILENCE },
      ...{ idle_timeout: 60_000, max_idle: 8, maxHeadBytes: 16_384, metrics: this.metrics },
    });
    const { responded, failed } = this.upstream;
    this.upstream.responded = (status, ...rest) => {
      this.outcomes.push(status);
      responded.call(this.upstream, status, ...rest);
    };
    this.upstream.failed = (failure, ...rest) => {
      this.outcomes.push(failure);
      failed.call(this.upstream, failure, ...rest);
    };
  }

  attempt(
    { upgrade, fresh = false, signal = new AbortController().signal, connectTimeoutMs = 5000 }: {
      upgrade?: UpstreamUpgrade;
      fresh?: boolean;
      signal?: AbortSignal;
      connectTimeoutMs?: number;
    } = {},
  ): Attempt {
    const head = { method: "GET", headers: [], authority: "x", peer: { address: "::1", port: 1 } };
    const exchange = new Exchange(head as unknown as RequestHead, { body: null, signal }, {
      exchangeEnded: () => void this.ended++,
    });
    this.exchanges.push(exchange);
    const plan = {
      limits: { ...SILENCE, connectTimeoutMs, streaming: false },
      redirects: undefined,
      responseHeaders: new ResponseHeaders({ viaName: "bws", untrustedName: "" }),
    } as unknown as ForwardPlan;
    const request = { exchange, plan, target: "/", framing: "", body: undefined, bodyAwaited: false, upgrade };
    const attempt = new Attempt(this.upstream.acquire() as Slot, request, fresh);
    EXCHANGES.set(attempt, exchange);
    return attempt;
  }

  /** In flight, open and idle. */
  get counts(): [inFlight: number, open: number, idle: number] {
    const { open, idle } = this.metrics.snapshot().connections;
    return [this.upstream.inFlight, open, idle];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.upstream.connections.destroy();
    await until("nothing is open", () => this.counts.join() === "0,0,0");
  }
}

/** All of a body, and how it ended. */
function drain(source: BodySource): Promise<{ text: string; end: unknown }> {
  return new Promise((resolve) => {
    let got = "";
    source.start({
      piece(bytes) {
        got += text(bytes);
        source.pull();
      },
      end: () => resolve({ text: got, end: "end" }),
      fail: (reason) => resolve({ text: got, end: reason }),
    });
    source.pull();
  });
}

/** An upgrade that takes whatever comes, and keeps what it is given. */
class Taken implements UpstreamUpgrade {
  connection: UpgradedConnection | undefined;
  readonly #fault: TransportFailure | undefined;

  constructor(fault?: TransportFailure) {
    this.#fault = fault;
  }

  ask(): string {
    return "";
  }

  check(): void {
    if (this.#fault !== undefined) throw this.#fault;
  }

  opened(head: ResponseHead): ResponseHead {
    return head;
  }

  accept(_head: unknown, headers: string[], connection: UpgradedConnection) {
    this.connection = connection;
    const upgrade = { idleTimeoutSeconds: 0, begin: () => {}, fail: () => ({ status: 500, headers: [], body: null }) };
    return { status: 101, headers, body: null, upgrade };
  }
}

const EXCHANGES = new WeakMap<Attempt, Exchange>();
const DELIVERY = new Delivery([], undefined);

/** The response to the request of an attempt. */
function responseOf(attempt: Attempt, shouldRetry?: ShouldRetry): Promise<HttpResponse> {
  return new Promise((resolve, reject) => attempt.ask(GET, { responded: resolve, failed: reject }, shouldRetry));
}

/** Makes the attempt, and delivers its response. */
async function responds(attempt: Attempt) {
  if (!attempt.takeKept()) await attempt.connect();
  const response = await responseOf(attempt);
  return DELIVERY.deliver(EXCHANGES.get(attempt) as Exchange, response);
}

Deno.test("an Attempt whose response is here as a whole gives everything back before it is passed on", async () => {
  await using upstream = ScriptedUpstream.answering(answerOf("page", "X: y\r\n"));
  await using place = new Place(upstream.url);
  const attempt = place.attempt();
  assertEquals([attempt.takeKept(), place.counts], [false, [1, 0, 0]]);
  const { status, headers, body } = await responds(attempt);
  assertEquals([status, headers, text(body as Uint8Array<ArrayBuffer>)], [
    ...[200, ["X", "y", "content-length", "4", "via", "1.1 bws"], "page"],
  ]);
  assertEquals([place.counts, attempt.settled, place.ended, place.outcomes], [[0, 1, 1], true, 1, [200]]);
  const { bytes, status: noted } = place.exchanges[0];
  assertEquals([bytes, noted], [4, 200]);
  // The next one takes the connection that was kept, unless it wants a new one.
  const next = place.attempt();
  assertEquals([next.takeKept(), next.reused, place.counts], [true, true, [1, 1, 0]]);
  next.failed(undefined);
  const other = place.attempt({ fresh: true });
  assertEquals(other.takeKept(), false);
  await responds(other);
  assertEquals([other.reused, upstream.connections], [false, 2]);
});

Deno.test("an Attempt holds its place and its connection until the last piece of a response is taken", async () => {
  const { promise: heard, resolve } = Promise.withResolvers<void>();
  await using upstream = ScriptedUpstream.start(async (peer) => {
    await peer.request();
    await peer.send("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf");
    await heard;
    await peer.send("half");
    await peer.closed();
  });
  await using place = new Place(upstream.url);
  const attempt = place.attempt();
  const { body } = await responds(attempt);
  assertEquals([place.counts, attempt.settled, place.ended], [[1, 1, 0], false, 0]);
  const drained = drain(body as BodySource);
  resolve();
  assertEquals(await drained, { text: "halfhalf", end: "end" });
  assertEquals([place.counts, attempt.settled, place.ended, place.outcomes], [[0, 1, 1], true, 1, [200]]);
});

Deno.test("an Attempt whose response breaks off fails its body, counts against the upstream, and ends the exchange once", async () => {
  await using upstream = ScriptedUpstream.start(async (peer) => {
    await peer.request();
    await peer.send("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf");
  });
  await using place = new Place(upstream.url);
  const { body } = await responds(place.attempt());
  const { text: got, end } = await drain(body as BodySource);
  assertEquals([got, String(end).includes("cut short")], ["half", true]);
  assertEquals([place.counts, place.ended, place.outcomes], [[0, 0, 0], 1, [200, "broken"]]);
  assertEquals(place.exchanges[0].causeOwner, "upstream");
});

Deno.test("an Attempt whose client wants no more of the response closes the connection, and blames nobody above", async () => {
  await using upstream = ScriptedUpstream.start(async (peer) => {
    await peer.request();
    await peer.send("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf");
    await peer.closed();
  });
  await using place = new Place(upstream.url);
  const { body } = await responds(place.attempt());
  (body as BodySource).cancel("gone");
  (body as BodySource).cancel("gone");
  assertEquals([place.counts, place.ended, place.outcomes], [[0, 0, 0], 1, [200]]);
  assertEquals([place.exchanges[0].status, place.exchanges[0].causeOwner], [499, "client"]);
});

const BREAKS: readonly [what: string, script: UpstreamScript, kind: string, outcome: FailureClass][] = [
  ["closes unanswered", async (peer) => void await peer.request(), "closed_unanswered", "broken"],
  [
    "talks nonsense",
    async (peer) => {
      await peer.request();
      await peer.send("SSH-2.0-OpenSSH\r\n\r\n");
    },
    "malformed",
    "broken",
  ],
];

for (const [what, script, kind, outcome] of BREAKS) {
  Deno.test(`Attempt.failed() gives everything back when the upstream ${what}, and leaves the exchange to go on`, async () => {
    await using upstream = ScriptedUpstream.start(script);
    await using place = new Place(upstream.url);
    const attempt = place.attempt();
    const failure = await assertRejects(() => responds(attempt), TransportFailure);
    assertEquals([failure.kind, attempt.failed(failure) === failure], [kind, true]);
    assertEquals([place.counts, place.ended, place.outcomes], [[0, 0, 0], 0, [outcome]]);
  });
}

Deno.test("Attempt.failed() is no fault of the upstream's when the client leaves, while it is dialled or asked", async () => {
  using hole = await BlackHole.open();
  await using silent = ScriptedUpstream.start((peer) => peer.closed());
  for (const [url, underWay] of [[hole.url, 0], [silent.url, 1]] as const) {
    await using place = new Place(url);
    const leaving = new AbortController();
    const attempt = place.attempt({ signal: leaving.signal, connectTimeoutMs: 300 });
    const failed = assertRejects(() => responds(attempt), TransportFailure);
    if (underWay > 0) await until("it is asked", () => place.counts[1] === 1);
    leaving.abort();
    const failure = await failed;
    attempt.failed(failure);
    assertEquals([failure.kind, place.counts, place.outcomes], ["client_left", [0, 0, 0], []]);
  }
});

Deno.test("Attempt.overtaken() keeps a connection that comes late for others, and reports an upstream that cannot be reached", async () => {
  await using upstream = ScriptedUpstream.answering(answerOf("late"));
  await using place = new Place(upstream.url);
  const attempt = place.attempt();
  const connected = attempt.connect();
  attempt.overtaken();
  await connected;
  assertEquals([place.counts, attempt.settled, place.ended], [[0, 1, 1], true, 0]);
  // One that has its connection already, since two dials ended in one turn.
  const second = place.attempt({ fresh: true });
  await second.connect();
  second.overtaken();
  assertEquals([place.counts, second.settled], [[0, 2, 2], true]);

  using hole = await BlackHole.open();
  await using far = new Place(hole.url);
  const slow = far.attempt({ connectTimeoutMs: 50 });
  const dialled = slow.connect();
  slow.overtaken();
  slow.failed(await assertRejects(() => dialled, TransportFailure));
  assertEquals([far.counts, far.outcomes], [[0, 0, 0], ["unreachable"]]);
});

Deno.test("Attempt.respond() throws what is retried, with its time, and what nobody asked for, which is no good response", async () => {
  await using busy = ScriptedUpstream.answering("HTTP/1.1 503 Busy\r\nRetry-After: 2\r\nContent-Length: 0\r\n\r\n");
  await using place = new Place(busy.url);
  const attempt = place.attempt();
  await attempt.connect();
  const retried = await assertRejects(() => responseOf(attempt, () => true), RetryableResponse);
  assertEquals([retried.status, retried.retryAfterMs, attempt.failed(retried) === retried], [503, 2000, true]);
  assertEquals([place.counts[0], place.ended, place.outcomes], [0, 0, [503]]);

  await using odd = ScriptedUpstream.answering("HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n");
  await using other = new Place(odd.url);
  const switched = other.attempt();
  const failure = await assertRejects(() => responds(switched), TransportFailure);
  switched.failed(failure);
  assertEquals([failure.kind, other.counts, other.outcomes], ["malformed", [0, 0, 0], ["broken"]]);
});

Deno.test("an Attempt that is upgraded hands over the socket, what came early and its place, which is held until it is released", async () => {
  await using upstream = ScriptedUpstream.start(async (peer) => {
    await peer.head();
    await peer.send("HTTP/1.1 101 Switching Protocols\r\nSet-Cookie: a=1\r\n\r\nearly");
    await peer.closed();
  });
  await using place = new Place(upstream.url);
  const upgrade = new Taken();
  const leaving = new AbortController();
  const attempt = place.attempt({ upgrade, signal: leaving.signal });
  const { status, headers } = await responds(attempt);
  assertEquals([status, headers, place.exchanges[0].status], [101, ["Set-Cookie", "a=1", "via", "1.1 bws"], 101]);
  const { socket, early, upstream: name, release } = upgrade.connection as UpgradedConnection;
  assertEquals([text(early), name], ["early", upstream.url]);
  // It is no connection of the pool's any more, and no concern of the exchange's attempts.
  assertEquals([place.counts, place.ended, place.outcomes], [[1, 0, 0], 0, [101]]);
  place.upstream.connections.destroy();
  leaving.abort();
  socket.write(new TextEncoder().encode("hi"), "given");
  await until("it is written", () => socket.queuedBytes === 0);
  assertEquals([socket.closed, upstream.open], [false, 1]);
  release();
  release();
  assertEquals(place.counts, [0, 0, 0]);
  socket.close();
});

Deno.test("an Attempt that asks for an upgrade takes a connection of its own, which serves nobody after a refusal", async () => {
  await using upstream = ScriptedUpstream.answering(answerOf("page"));
  await using place = new Place(upstream.url);
  await responds(place.attempt());
  const attempt = place.attempt({ upgrade: new Taken() });
  assertEquals(attempt.takeKept(), false);
  const { status, body } = await responds(attempt);
  assertEquals([status, text(body as Uint8Array<ArrayBuffer>)], [200, "page"]);
  assertEquals([place.counts, place.ended, upstream.connections], [[0, 1, 1], 2, 2]);
  const wrong = new Taken(new TransportFailure("malformed", "wrong"));
  await using accepting = ScriptedUpstream.answering("HTTP/1.1 101 Switching Protocols\r\n\r\n");
  await using other = new Place(accepting.url);
  const refused = other.attempt({ upgrade: wrong });
  const failure = await assertRejects(() => responds(refused), TransportFailure);
  refused.failed(failure);
  assertEquals([other.counts, other.outcomes, wrong.connection], [[0, 0, 0], ["broken"], undefined]);
  await until("its connection is closed", () => accepting.open === 0);
});
