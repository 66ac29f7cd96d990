// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { createHash } from "node:crypto";
import { io, type Socket } from "npm:socket.io-client@4.8.4";
import { BROWSER_MS, findsChromium, launchChromium } from "../support/chromium.ts";
import type { ListenerKind } from "../../lib/listener/listener_kind.ts";
import { until, within } from "../support/condition.ts";
import { testEachListener } from "../support/each_listener.ts";
import { LineProgram } from "../support/line_program.ts";
import { type ClientOrder, type ClientReport, startNodeClient, startNodeServer } from "../support/node_sockets.ts";
import { RunningProxy } from "../support/running_proxy.ts";

const LARGE_BYTES = 16_000_000;
const WORDS = ["hello", "", "repeat ".repeat(1000), ["frag", "men", "", "ted"]];

function socketProxy(upstreams: string[], listener?: ListenerKind): Promise<RunningProxy> {
  const routes = [{ path: "/", upstream: "app", websocket: true }];
  const server = listener === undefined ? {} : { listener };
  return RunningProxy.start({ upstreams, proxy: { routes, load_balancing: { method: "round_robin" } }, server });
}

interface NodeScene {
  proxy: RunningProxy;
  server: LineProgram;
  client(order: Omit<ClientOrder, "url">): Promise<ClientReport>;
}

/** Runs `act` with a server of `ws` under Node behind a proxy; says so when there is no Node. */
async function underNode(listener: ListenerKind, act: (scene: NodeScene) => Promise<void>): Promise<void> {
  const started = await startNodeServer();
  if (started === undefined) return say("skipped: node is not on this machine");
  await using server = started.program;
  await using proxy = await socketProxy([started.url], listener);
  await act({
    proxy,
    server,
    async client(order) {
      await using program = await startNodeClient({ url: `ws://127.0.0.1:${proxy.port}/`, ...order });
      if (program === undefined) throw new Error("There is a Node server, but no Node client");
      return JSON.parse(await within(30_000, "the client reports", program.line()));
    },
  });
}

testEachListener(
  "ws under Node on both sides: fragments, 16 MB, subprotocols, pings, and compression where it passes",
  async (listener) => {
    await underNode(listener, async ({ server, client }) => {
      const messages = [...WORDS, LARGE_BYTES, "end"];
      const extensions = listener === "own" ? "permessage-deflate" : "";
      const report = await client({ protocols: ["chat.v1", "chat.v2"], messages, end: "close" });
      const large = createHash("sha1").update(new Uint8Array(LARGE_BYTES).map((_, i) => i % 251)).digest("hex");
      assertEquals(report, {
        protocol: "chat.v2",
        extensions,
        got: ["hello", "", "repeat ".repeat(1000), "fragmented", large, "end"],
        pong: "are you there?",
        code: 4321,
        reason: "that is all",
      });
      assertEquals(JSON.parse(await server.line()), { code: 4321, reason: "that is all", extensions });
    });
  },
);

testEachListener("a ws client under Node that terminates is 1001 to its server", async (listener) => {
  await underNode(listener, async ({ proxy, server, client }) => {
    const report = await client({ messages: ["hello", LARGE_BYTES], end: "terminate" });
    assertEquals([report.got.length, report.code], [2, 1006]);
    assertEquals(JSON.parse(await within(5000, "the server is told", server.line())).code, 1001);
    await proxy.idle();
    assertEquals(proxy.generation.sockets.size, 0);
  });
});

testEachListener(
  "a ws server under Node that terminates a socket is 1014 to its client, and goes on serving",
  async (listener) => {
    await underNode(listener, async ({ proxy, client }) => {
      const report = await client({ messages: ["hello", "terminate!"], end: "wait", plain: true });
      assertEquals([report.got, report.code], [["hello"], 1014]);
      assertEquals((await client({ messages: ["again"], end: "close" })).got, ["again"]);
      await proxy.idle();
      assertEquals(proxy.generation.sockets.size, 0);
    });
  },
);

testEachListener(
  "a Node process that is killed is 1014 to its clients, who have what it sent before",
  async (listener) => {
    await underNode(listener, async ({ proxy, client }) => {
      const witness = client({ messages: ["I listen"], end: "wait" });
      await until("the witness is connected", () => proxy.generation.sockets.size === 1);
      const report = await client({ messages: ["hello", "vanish now"], end: "wait", plain: true });
      assertEquals([report.got, report.code, (await witness).code], [["hello"], 1014, 1014]);
      await proxy.idle();
      assertEquals(proxy.generation.sockets.size, 0);
    });
  },
);

/** Waits for one event of a Socket.IO client. */
function heard(socket: Socket, event: string): Promise<unknown> {
  return within(5000, `"${event}" is heard`, new Promise((resolve) => socket.once(event, resolve)));
}

/** A client that gives up at the first failure, closed by `using`. */
function socketClient(port: number, transports?: string[]): Socket & Disposable {
  const socket = io(`http://127.0.0.1:${port}`, { forceNew: true, reconnection: false, transports });
  return Object.assign(socket, { [Symbol.dispose]: () => void socket.disconnect() });
}

async function startSocketIo(name: string): Promise<{ program: LineProgram; url: string }> {
  const program = LineProgram.startOwn("socket_io_program.ts", [name]);
  return { program, url: `http://127.0.0.1:${await program.line()}` };
}

/** What the server behind a client answers. */
function echo(socket: Socket, value: unknown): Promise<[value: unknown, name: string]> {
  const answer = new Promise<[unknown, string]>((resolve) => {
    socket.emit("echo", value, (...all: [unknown, string]) => resolve(all));
  });
  return within(5000, "an echo", answer);
}

Deno.test("Socket.IO polls, upgrades to a WebSocket, and talks all the while", async () => {
  const one = await startSocketIo("one");
  await using _program = one.program;
  await using proxy = await socketProxy([one.url]);
  using first = socketClient(proxy.port);
  using second = socketClient(proxy.port, ["websocket"]);
  assertEquals(first.connected, false);
  const upgraded = within(
    5000,
    "the first upgrades",
    new Promise<void>((resolve) => first.io.on("open", () => first.io.engine.once("upgrade", () => resolve()))),
  );
  await Promise.all([heard(first, "connect"), heard(second, "connect")]);
  // Asked while it polls, and answered wherever the upgrade has got to by then.
  const asked = Promise.all(Array.from({ length: 50 }, (_, i) => echo(first, i)));
  await upgraded;
  assertEquals(await asked, Array.from({ length: 50 }, (_, i) => [i, "one"]));
  assertEquals([first.io.engine.transport.name, second.io.engine.transport.name], ["websocket", "websocket"]);
  assertEquals(proxy.generation.sockets.size, 2);
  const binary = new Uint8Array(100_000).map((_, i) => i % 251);
  assertEquals(new Uint8Array((await echo(first, binary))[0] as ArrayLike<number>), binary);
  const hearing = heard(second, "heard");
  first.emit("shout", "to everyone");
  assertEquals(await hearing, "to everyone");
  first.disconnect();
  second.disconnect();
  await proxy.idle();
  assertEquals(proxy.generation.sockets.size, 0);
});

Deno.test("Socket.IO over two upstreams: polling needs sticky sessions, WebSockets alone do not", async () => {
  const [one, two] = await Promise.all([startSocketIo("one"), startSocketIo("two")]);
  await using _one = one.program;
  await using _two = two.program;
  await using proxy = await socketProxy([one.url, two.url]);
  // A session that polls is many requests, and only one of the two servers knows it.
  using polling = socketClient(proxy.port);
  const refused = await Promise.race([heard(polling, "connect_error"), heard(polling, "disconnect")]);
  assertMatch(String(refused), /xhr (poll|post) error|transport error/);
  polling.disconnect();
  const answers: string[] = [];
  for (let i = 0; i < 6; i++) {
    using socket = socketClient(proxy.port, ["websocket"]);
    await heard(socket, "connect");
    answers.push((await echo(socket, i))[1]);
  }
  assertEquals(answers.toSorted(), ["one", "one", "one", "two", "two", "two"]);
});

Deno.test({
  name: "a Vite dev server's hot module replacement works in Chromium through the proxy",
  // The browser's own process and socket are the library's.
  sanitizeResources: false,
  sanitizeOps: false,
  async fn() {
    if (!await findsChromium("Vite's hot module replacement")) return;
    const browser = await launchChromium();
    const folder = await Deno.makeTempDir({ prefix: "bws-vite-" });
    try {
      await Deno.writeTextFile(`${folder}/index.html`, PAGE);
      await Deno.writeTextFile(`${folder}/main.js`, MAIN);
      await Deno.writeTextFile(`${folder}/word.js`, `export const word = "before";\n`);
      await Deno.writeTextFile(`${folder}/style.css`, `#word { color: rgb(9, 9, 9) }\n`);
      await using vite = LineProgram.startOwn("vite_program.ts", [folder]);
      const vitePort = Number(await within(30_000, "Vite listens", vite.line()));
      await using proxy = await socketProxy([`http://127.0.0.1:${vitePort}`]);
      const page = await browser.newPage();
      const sockets: string[] = [];
      const faults: string[] = [];
      page.on("websocket", (socket) => sockets.push(new URL(socket.url()).host));
      page.on("pageerror", (error) => faults.push(error.message));
      page.on("console", (message) => {
        if (message.type() === "error") faults.push(message.text());
      });
      const connected = page.waitForEvent("console", { predicate: (m) => m.text().includes("[vite] connected") });
      await page.goto(`http://127.0.0.1:${proxy.port}/`);
      await connected;
      await page.waitForFunction(`document.querySelector("#word").textContent === "before"`);
      // What the person at the page has done so far is lost by a reload.
      await page.fill("#typed", "kept");
      await Deno.writeTextFile(`${folder}/word.js`, `export const word = "after";\n`);
      await page.waitForFunction(`document.querySelector("#word").textContent === "after"`, undefined, {
        timeout: BROWSER_MS,
      });
      assertEquals(await page.inputValue("#typed"), "kept");
      await Deno.writeTextFile(`${folder}/style.css`, `#word { color: rgb(1, 2, 3) }\n`);
      const colour = `getComputedStyle(document.querySelector("#word")).color === "rgb(1, 2, 3)"`;
      await page.waitForFunction(colour, undefined, { timeout: BROWSER_MS });
      assertEquals(await page.inputValue("#typed"), "kept");
      assertEquals([sockets, faults], [[`127.0.0.1:${proxy.port}`], []]);
      assertStringIncludes(await page.content(), "/@vite/client");
      await page.close();
    } finally {
      await browser.close();
      await Deno.remove(folder, { recursive: true });
    }
  },
});

const PAGE = `<!doctype html><html><head><link rel="icon" href="data:,"></head>
<body><p id="word"></p><input id="typed"><script type="module" src="/main.js"></script></body></html>
`;

const MAIN = `import "./style.css";
import { word } from "./word.js";
const show = (text) => document.querySelector("#word").textContent = text;
show(word);
import.meta.hot.accept("./word.js", (next) => show(next.word));
`;

function say(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}
