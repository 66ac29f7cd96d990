// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals, assertFalse, assertMatch, assertStringIncludes } from "@std/assert";
import { keysOf } from "../../lib/cli/top/screen.ts";
import { fitted, tableLines } from "../../lib/cli/top/text_table.ts";
import { TopSession } from "../../lib/cli/top/top_session.ts";
import { membersOf, topLines } from "../../lib/cli/top/top_view.ts";
import { until } from "../support/condition.ts";
import type { UpstreamChange } from "../../lib/admin/snapshot.ts";
import { FakeAdmin } from "../support/fake_admin.ts";
import { FakeWorld } from "../support/fake_world.ts";
import { freePort } from "../support/port.ts";
import { bws } from "./bws_process.ts";

const MODULE = new URL("./top_program.ts", import.meta.url).href;
const ADDRESS = "http://127.0.0.1:7654";
const SURFACE = { columns: 100, rows: 24, colored: false };
const hasScript = Deno.build.os === "linux" && await Deno.stat("/usr/bin/script").then(() => true, () => false);
// deno-lint-ignore no-console -- whoever reads the report must know
if (!hasScript) console.warn("bws top in a terminal is not tested: /usr/bin/script is missing");

const top = (args: readonly string[], env: Record<string, string> = {}) => bws(args, { module: MODULE, env });

function sessionOf(world: FakeWorld): { session: TopSession; changes: unknown[] } {
  const changes: unknown[] = [];
  const client = {
    address: "http://127.0.0.1:7654",
    change: (id: string, change: UpstreamChange, force: boolean) => {
      if (!force && change.state !== "active" && world.isLast(id)) {
        return Promise.resolve({ type: "urn:bws:last-upstream" as const, error: "It is the last upstream" });
      }
      changes.push({ id, ...change });
      return Promise.resolve(undefined);
    },
  };
  return { session: new TopSession(client, world.snapshot()), changes };
}

Deno.test("bws top prints one plain table where there is no terminal, what is wrong first", async () => {
  await using admin = new FakeAdmin();
  admin.world.kill(admin.world.upstream("api.2"));
  const { code, stdout, stderr } = await top(["--url", admin.url]);
  assertEquals([code, stderr], [0, ""]);
  assertFalse(stdout.includes("\x1b"));
  assertMatch(stdout, /^bws 0\.1\.0 at http:\S+ {3}generation 7 {3}up 3 d 2 h/);
  assertStringIncludes(stdout, "✗ 1 problem\n  10.1.0.13:8080: unhealthy   pool api, connection refused\n");
  const lines = stdout.trimEnd().split("\n");
  const heading = lines.findIndex((line) => line.startsWith("STATE"));
  assertEquals(lines.length - heading - 1, 12);
  assertMatch(lines[heading + 1], /^✗ unhealthy +10\.1\.0\.13:8080 +api +1 +0 +0 +0 % +– +– +– +connection refused$/);
});

Deno.test("bws top sends its key, from --key or BWS_API_KEY, and says what is missing", async () => {
  await using admin = new FakeAdmin({ apiKey: "open sesame" });
  assertEquals((await top(["--url", admin.url, "--once", "--key", "open sesame"])).code, 0);
  assertEquals((await top(["--url", admin.url, "--once"], { BWS_API_KEY: "open sesame" })).code, 0);
  const none = await top(["--url", admin.url]);
  assertEquals([none.code, none.stdout], [1, ""]);
  assertStringIncludes(none.stderr, "wants an API key: give --key KEY or set BWS_API_KEY");
  assertStringIncludes((await top(["--url", admin.url, "--key", "x"])).stderr, "does not take that API key");
});

Deno.test("bws top says what to do where no server responds, and where another one does", async () => {
  const port = freePort();
  const none = await top(["--url", `127.0.0.1:${port}`]);
  assertEquals([none.code, none.stdout], [1, ""]);
  assertStringIncludes(none.stderr, `No server responds at http://127.0.0.1:${port}`);
  const other = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () => new Response("hello"));
  const strange = await top(["--url", `http://127.0.0.1:${other.addr.port}`]);
  assertStringIncludes(strange.stderr, "not as the management listener of bws does: status 200");
  await other.shutdown();
  assertStringIncludes((await top(["--url", "ftp://x"])).stderr, '"ftp://x" is no address');
});

Deno.test("topLines() is never wider than it may be, and drops columns before it cuts", () => {
  const world = new FakeWorld();
  world.kill(world.upstream("web.0"));
  world.upstream("web.0").lastFailure = "x".repeat(200);
  const snapshot = world.snapshot();
  for (const width of [30, 40, 60, 80, 120, 300]) {
    const { head, heading, rows } = topLines(snapshot, membersOf(snapshot, "worst"), {
      ...SURFACE,
      ...{ width, mostTroubles: 9, address: ADDRESS },
    });
    for (const line of [...head, heading, ...rows]) assert(line.length <= Math.max(width, 46), `${width}: ${line}`);
    // The address is whole, and so is every figure that is shown.
    assertStringIncludes(head[0], width < 40 ? "bws 0.1.0 at http" : `at ${ADDRESS}`);
    if (width >= 40) { for (const line of head.slice(0, 2)) assertFalse(line.includes("…"), line); }
    assertEquals(heading.includes("HEAD P50"), width >= 120);
    assertStringIncludes(heading, "REQ/S");
  }
});

Deno.test("topLines() says that metrics are off, and judges states all the same", () => {
  const world = new FakeWorld();
  world.metrics = false;
  const options = { ...SURFACE, width: 120, mostTroubles: 9, address: ADDRESS };
  const text = () => {
    const { head, heading, rows } = topLines(world.snapshot(), membersOf(world.snapshot(), "worst"), options);
    return [...head, heading, ...rows].join("\n");
  };
  assertStringIncludes(text(), "\nMetrics are off (management.metrics = false)\n");
  assertFalse(/All is well|REQ\/S|ERRORS|P50|req\/s/.test(text()), text());
  world.kill(world.upstream("web.0"));
  assertStringIncludes(text(), "✗ 1 problem\n");
  assertMatch(text(), /^✗ unhealthy +10\.0\.0\.11:8080 +web/m);
});

Deno.test("topLines() has the open connections of clients to all ports, where a listener counts them", () => {
  const world = new FakeWorld();
  const options = { ...SURFACE, width: 120, mostTroubles: 9, address: ADDRESS };
  const figures = () => topLines(world.snapshot(), membersOf(world.snapshot(), "worst"), options).head[1];
  assertFalse(figures().includes("connection"), figures());
  const connections = { accepted: 90, open: 73, closed: { client: 17 }, handshakes: {}, acceptFailures: 0 };
  world.port = { ...world.port, connections };
  assertStringIncludes(figures(), "73 connections");
});

Deno.test("topLines() distinguishes pools of one name", () => {
  const snapshot = new FakeWorld({ pools: { app: 1 } }).snapshot();
  const [pool] = snapshot.pools;
  const twins = { ...snapshot, pools: [pool, { ...pool, id: "blog/app", site: "blog" }] };
  const options = { ...SURFACE, width: 120, mostTroubles: 9, address: ADDRESS };
  const { rows } = topLines(twins, membersOf(twins, "config"), options);
  assertEquals(rows.map((row) => /\S+\/app/.exec(row)?.[0]), ["shop/app", "blog/app"]);
});

Deno.test("tableLines() and fitted() take out what could move the cursor", () => {
  const columns = [{ title: "A", leaves: 0, cell: (text: string) => ({ text }) }];
  assertEquals(tableLines(columns, ["a\x1b[2J\nb"], { width: 80, colored: true })[1], "a\ufffd[2J\ufffdb");
  assertEquals(fitted("a\x9b\u202eb", 9), "a\ufffd\ufffdb");
  assertEquals(fitted("abcdef", 4), "abc…");
});

Deno.test("keysOf() knows arrows in both dialects, and several keys at once", () => {
  assertEquals(keysOf("j\x1b[A\x1bOBdé\x1b[6~\x1b[1;5C\x1b"), ["down", "up", "down", "d", "é", "page-down", "escape"]);
  assertEquals(keysOf("\x03"), ["q"]);
});

Deno.test("A session moves, sorts and scrolls, and the choice stays on its upstream", async () => {
  const world = new FakeWorld({ pools: { fleet: 60 } });
  const { session } = sessionOf(world);
  for (const key of ["down", "down", "up"]) await session.press(key);
  assertEquals(session.chosen?.upstream.id, "shop.fleet.1");
  world.kill(world.upstream("fleet.50"));
  session.take(world.snapshot());
  assertEquals(session.chosen?.upstream.id, "shop.fleet.1");
  await session.press("first");
  assertEquals(session.chosen?.upstream.id, "shop.fleet.50");
  await session.press("last");
  const lines = session.lines(SURFACE);
  assertEquals(lines.length, SURFACE.rows);
  assertMatch(lines.find((line) => line.startsWith("> ")) ?? "", /10\.0\.0\.70:8080/);
  await session.press("s");
  assertStringIncludes(session.lines(SURFACE).at(-1) ?? "", "s sort: config");
  assertEquals(await session.press("q"), false);
});

Deno.test("A session drains and resumes, and asks twice about the last of a pool", async () => {
  const world = new FakeWorld({ pools: { web: 2 } });
  const { session, changes } = sessionOf(world);
  await session.press("d");
  assertEquals(changes, [{ id: "shop.web.0", state: "draining" }]);
  world.change("shop.web.0", { state: "draining" });
  session.take(world.snapshot());
  await session.press("r");
  assertEquals(changes.at(-1), { id: "shop.web.0", state: "active" });
  await session.press("last");
  assertEquals(session.chosen?.upstream.id, "shop.web.1");
  await session.press("d");
  assertEquals(changes.length, 2);
  assertStringIncludes(session.lines(SURFACE).at(-2) ?? "", "the last upstream of pool web");
  await session.press("d");
  assertEquals(changes.at(-1), { id: "shop.web.1", state: "draining" });
});

Deno.test("A session whose connection is lost says so in place of a verdict, until the next snapshot", async () => {
  const world = new FakeWorld();
  const { session } = sessionOf(world);
  const text = () => session.lines(SURFACE).join("\n");
  assertStringIncludes(text(), "✓ All is well");
  session.lose("No server answers");
  for (const key of ["", "s", "down"]) {
    await session.press(key);
    assertMatch(text(), /^✗ Connection lost\. This is how it was at \d\d:\d\d:\d\d$/m);
    assertFalse(text().includes("All is well"));
  }
  session.take(world.snapshot());
  assertStringIncludes(text(), "✓ All is well");
  assertFalse(text().includes("Connection lost"));
});

Deno.test("A session without upstreams has nothing to choose and does not mind keys", async () => {
  const { session, changes } = sessionOf(new FakeWorld({ pools: {} }));
  for (const key of ["down", "d", "last", "s"]) assert(await session.press(key));
  assertEquals(changes, []);
  assertStringIncludes(session.lines(SURFACE).at(-2) ?? "", "The config has no upstreams");
});

/** `bws top` in a terminal; the shell tells its process id before, and how the terminal is after. */
class TerminalTop {
  text = "";
  readonly #child: Deno.ChildProcess;
  readonly #keys: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reading: Promise<void>;

  constructor(url: string) {
    const config = new URL("../../deno.json", import.meta.url).pathname;
    const program = `"${Deno.execPath()}" run --no-check -A --config "${config}" "${MODULE}" --url "${url}"`;
    const line = `stty cols 100 rows 24; sh -c 'echo pid $$; exec ${program}'; echo code $?; stty -a`;
    this.#child = new Deno.Command("script", {
      ...{ args: ["-qec", line, "/dev/null"], stdin: "piped", stdout: "piped", stderr: "null" },
    }).spawn();
    this.#keys = this.#child.stdin.getWriter();
    this.#reading = this.#read();
  }

  press(keys: string): Promise<void> {
    return this.#keys.write(new TextEncoder().encode(keys));
  }

  signal(signal: Deno.Signal): void {
    Deno.kill(Number(/pid (\d+)/.exec(this.text)?.[1]), signal);
  }

  /** Waits for the end. @returns What came after the program, without what it wrote itself. */
  async ended(): Promise<string> {
    await until("the end", () => this.text.includes("code "), 20_000);
    await this.#keys.close();
    await Promise.all([this.#child.status, this.#reading]);
    return this.text.slice(this.text.lastIndexOf("\x1b[?1049l") + 8);
  }

  async #read(): Promise<void> {
    for await (const text of this.#child.stdout.pipeThrough(new TextDecoderStream())) this.text += text;
  }
}

function assertGivenBack(after: string): void {
  assertMatch(after, /^code 0\r/);
  assertMatch(after, /[^-]icanon/);
  assertMatch(after, /[^-]echo /);
}

Deno.test({
  name: "bws top in a terminal is live, drains by key, waits for a lost server, and gives the terminal back",
  ignore: !hasScript,
  async fn() {
    await using admin = new FakeAdmin();
    const terminal = new TerminalTop(admin.url);
    await until("the table", () => terminal.text.includes("10.0.0.11:8080"), 20_000);
    assertStringIncludes(terminal.text, "\x1b[?1049h");
    assertStringIncludes(terminal.text, `at ${admin.url}`);
    // Behind a line that fills the row it would erase the last character of the line.
    assertFalse(terminal.text.includes("\x1b[K"));
    await terminal.press("jd");
    await until("the change", () => admin.changes.length === 1);
    assertEquals(admin.changes, [{ id: "shop.web.1", change: { state: "draining" } }]);
    await until("the new state", () => terminal.text.includes("↓ draining"));
    admin.cut();
    await until("the loss", () => terminal.text.includes("The connection is lost"));
    await until("the way back", () => admin.watching === 1);
    await terminal.press("q");
    assertGivenBack(await terminal.ended());
  },
});

Deno.test({
  name: "bws top gives the terminal back when it is told to end",
  ignore: !hasScript,
  async fn() {
    await using admin = new FakeAdmin();
    const terminal = new TerminalTop(admin.url);
    await until("the table", () => terminal.text.includes("10.0.0.11:8080"), 20_000);
    terminal.signal("SIGTERM");
    assertGivenBack(await terminal.ended());
  },
});
