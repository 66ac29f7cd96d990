// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals, assertLess } from "@std/assert";
import { within } from "../support/condition.ts";
import { statusOf, text } from "../support/message_reader.ts";
import { get, head, post, RawClient } from "../support/raw_client.ts";
import { ProxyProcess } from "../support/proxy_process.ts";
import { answerOf, ScriptedUpstream, type UpstreamPeer } from "../support/scripted_upstream.ts";

const EXCHANGES = 10_000;
const AT_ONCE = 24;
// The runtime opens a pair for itself when it first needs one.
const OWN_SOCKETS = 2;
const LARGE = "z".repeat(300_000);

/** An upstream that does what the path says. */
async function misbehave(peer: UpstreamPeer): Promise<void> {
  for (let request = await peer.head(); request !== undefined; request = await peer.head()) {
    const deed = request.firstLine.split(" ")[1].slice(1);
    if (deed === "early") {
      await peer.send("HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno");
      return;
    }
    if (deed === "silent") return await peer.closed();
    await peer.reader.body(request, { closeEnds: false });
    if (!request.whole) return;
    if (deed === "close") return;
    const answer = ANSWERS[deed] ?? answerOf("fine");
    if (!await peer.send(answer)) return;
    if (deed.startsWith("cut") || deed === "garbage" || deed === "until-end") return;
  }
}

const ANSWERS: Readonly<Record<string, string>> = {
  "large": answerOf(LARGE),
  "chunked": `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
  "cut-length": "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
  "cut-chunks": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
  "cut-head": "HTTP/1.1 200 OK\r\nX:",
  "garbage": "nonsense\r\n\r\n",
  "until-end": "HTTP/1.1 200 OK\r\n\r\nhello",
  "extra": answerOf("fine") + answerOf("evil"),
  "no-content": "HTTP/1.1 204 No Content\r\n\r\n",
};

/** One exchange of one kind; says what is wrong with how it went. */
type Deed = (client: RawClient) => Promise<string | undefined>;

function expecting(bytes: string, status: number, body?: string, method = "GET"): Deed {
  return async (client) => {
    await client.send(bytes);
    const got = await client.answer(method);
    if (statusOf(got) !== status) return `status ${statusOf(got)}, expected ${status}`;
    if (!got.whole) return "an answer that is not whole";
    return body === undefined || text(got.body) === body ? undefined : `body ${text(got.body).slice(0, 40)}`;
  };
}

function cut(bytes: string): Deed {
  return async (client) => {
    await client.send(bytes);
    return (await client.answer()).whole ? "a cut answer that looks whole" : undefined;
  };
}

function leaving(bytes: string): Deed {
  return async (client) => {
    await client.send(bytes);
    return undefined;
  };
}

const EARLY = expecting(
  "POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n" + "x".repeat(20_000),
  401,
  "no",
);

const DEEDS: readonly Deed[] = [
  expecting(get("/"), 200, "fine"),
  expecting(post("/", "order"), 200, "fine"),
  expecting(post("/", LARGE), 200, "fine"),
  expecting(head("/large"), 200, "", "HEAD"),
  expecting(get("/large"), 200, LARGE),
  expecting(get("/chunked"), 200, "hello"),
  expecting(get("/until-end"), 200, "hello"),
  expecting(get("/extra"), 200, "fine"),
  expecting(get("/no-content"), 204),
  expecting(get("/garbage"), 502),
  expecting(get("/cut-head"), 502),
  expecting(get("/close"), 502),
  expecting(post("/close", "order"), 502),
  EARLY,
  expecting("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
  expecting(get("/../.."), 400),
  expecting(get("/", "Expect: x\r\n"), 417),
  expecting(post("/", "x".repeat(400_001)), 413),
  cut(get("/cut-length")),
  cut(get("/cut-chunks")),
  leaving(get("/")),
  leaving(get("/silent")),
  leaving(get("/large")),
  leaving("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nhalf"),
  leaving("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"),
  leaving("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
  leaving("GET / HT"),
];

/** Runs so many exchanges; gives what went wrong, each fault once. */
async function soak(port: number, exchanges: number, deeds: readonly Deed[] = DEEDS): Promise<string[]> {
  const wrong = new Set<string>();
  let next = 0;
  const worker = async () => {
    while (next < exchanges) {
      const index = next++;
      using client = await RawClient.connect(port);
      try {
        const fault = await within(10_000, "an answer", deeds[index % deeds.length](client));
        if (fault !== undefined) wrong.add(`deed ${index % deeds.length}: ${fault}`);
      } catch (error) {
        wrong.add(`deed ${index % deeds.length}: ${error instanceof Error ? error.message : error}`);
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return [...wrong];
}

Deno.test("after 10,000 hostile exchanges no socket, no count and no memory is left behind", async () => {
  await using first = ScriptedUpstream.start(misbehave);
  await using second = ScriptedUpstream.start(misbehave);
  await using proxy = await ProxyProcess.start({
    upstreams: [first.url, second.url],
    site: { max_body_size: 400_000 },
    proxy: { connections: { idle_timeout: "500ms" } },
  });
  const quiet = (status: { underWay: number; inFlight: number; upstreamConnections: number }) =>
    status.underWay === 0 && status.inFlight === 0 && status.upstreamConnections === 0;
  const fresh = await proxy.status();
  // A first round of the same length fills what is filled once: code, name tables, buffers of the allocator, which are full
  // after about 10,000 exchanges.
  assertEquals(await soak(proxy.port, EXCHANGES), []);
  const before = await proxy.settled(
    (status) => quiet(status) && status.sockets <= fresh.sockets + OWN_SOCKETS,
    10_000,
  );
  first.requests.length = second.requests.length = 0;
  assertEquals(await soak(proxy.port, EXCHANGES), []);
  const after = await proxy.settled((status) => quiet(status) && status.sockets <= before.sockets, 10_000);
  const told = JSON.stringify({ fresh, before, after });
  assertEquals([after.underWay, after.inFlight, after.upstreamConnections], [0, 0, 0]);
  assert(after.sockets <= fresh.sockets + OWN_SOCKETS, told);
  assertLess(after.heapBytes - before.heapBytes, 1_000_000, told);
  assertLess(after.residentBytes - before.residentBytes, 60_000_000, told);
});

Deno.test("responses in the middle of an upload leave no memory behind", async () => {
  await using upstream = ScriptedUpstream.start(misbehave);
  await using proxy = await ProxyProcess.start({ upstreams: [upstream.url] });
  assertEquals(await soak(proxy.port, 1000, [EARLY]), []);
  const before = await proxy.settled(({ underWay }) => underWay === 0, 5000);
  assertEquals(await soak(proxy.port, 1000, [EARLY]), []);
  const after = await proxy.settled(({ underWay }) => underWay === 0, 5000);
  assertLess(after.heapBytes - before.heapBytes, 1_000_000);
});
