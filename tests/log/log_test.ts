// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals, assertFalse, assertStringIncludes } from "@std/assert";
import { type AccessRecord, combinedAccessLine } from "../../lib/log/access_line.ts";
import { jsonAccessLine } from "../../lib/log/json_access_line.ts";
import { Log } from "../../lib/log/log.ts";
import { openSink } from "../../lib/log/open_sink.ts";
import { printable } from "../../lib/log/printable.ts";

const RECORD: AccessRecord = {
  requestId: "id-1",
  clientAddress: "1.2.3.4",
  method: "GET",
  host: "example.com",
  path: "/a",
  query: "?b",
  site: "www",
  status: 200,
  bytes: 5,
  durationMs: 1.23456,
  upstreamMs: 1,
  upstream: "http://127.0.0.1:3000",
  attempts: 1,
  cause: "",
  causeOwner: "",
  referer: "",
  userAgent: 'evil"\n{"agent',
};

function collect(): { text: () => string; batches: () => number; sink: (bytes: Uint8Array) => Promise<void> } {
  let text = "";
  let batches = 0;
  return {
    text: () => text,
    batches: () => batches,
    sink: (bytes) => {
      text += new TextDecoder().decode(bytes);
      batches++;
      return Promise.resolve();
    },
  };
}

Deno.test("Log writes lines in batches, in order, and all of them on flush()", async () => {
  const { text, batches, sink } = collect();
  const log = new Log(sink);
  for (let i = 0; i < 1000; i++) log.line(`line ${i}`);
  assertEquals(batches(), 0);
  await log.flush();
  assertEquals(batches(), 1);
  assertEquals(text(), Array.from({ length: 1000 }, (_, i) => `line ${i}\n`).join(""));
});

Deno.test("Log.log() leaves out what is below its level", async () => {
  const { text, sink } = collect();
  const log = new Log(sink, { level: "warn" });
  log.log("info", "unseen");
  log.log("error", "seen", { port: 80 });
  await log.flush();
  const { level, message, port } = JSON.parse(text());
  assertEquals([level, message, port], ["error", "seen", 80]);
  assertFalse(log.writes("info"));
});

Deno.test("Log drops lines rather than fill the memory, and says how many", async () => {
  let release = () => {};
  let text = "";
  const stuck = new Promise<void>((resolve) => release = resolve);
  const log = new Log(async (bytes) => {
    await stuck;
    text += new TextDecoder().decode(bytes);
  });
  const line = "x".repeat(60 * 1024);
  for (let i = 0; i < 400; i++) log.line(line);
  release();
  await log.flush();
  log.line("after");
  await log.flush();
  const said = JSON.parse(text.split("\n").find((one) => one.includes("Log lines were dropped")) ?? "{}");
  assertEquals([said.level, new Date(said.time).toISOString(), said.count > 0], ["warn", said.time, true]);
  assertStringIncludes(text, "after\n");
  assert(text.length < 20 * 1024 * 1024);
});

Deno.test("openSink() appends to a file", async () => {
  const path = await Deno.makeTempFile();
  try {
    for (const text of ["a\n", "b\n"]) {
      const log = new Log(openSink(path));
      log.line(text.trimEnd());
      await log.flush();
    }
    assertEquals(await Deno.readTextFile(path), "a\nb\n");
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("jsonAccessLine() is one JSON object, whatever clients send", () => {
  const line = jsonAccessLine({ ...RECORD, path: '/"\\\u0000\n', method: "X" });
  assertFalse(line.includes("\n"));
  const parsed = JSON.parse(line);
  assertEquals(parsed.path, '/"\\\u0000\n?b');
  assertEquals(parsed.user_agent, RECORD.userAgent);
  assertEquals([parsed.status, parsed.duration_ms, parsed.attempts], [200, 1.235, 1]);
});

Deno.test("combinedAccessLine() cannot be forged", () => {
  const line = combinedAccessLine({ ...RECORD, referer: 'a" 200 0 "', cause: "silent\n", causeOwner: "upstream" });
  assertFalse(line.includes("\n"));
  assertStringIncludes(line, '"a\\x22 200 0 \\x22"');
  assertStringIncludes(line, '"evil\\x22\\x0a{\\x22agent"');
  assertStringIncludes(line, '"GET /a?b HTTP/1.1" 200 5 ');
});

Deno.test("printable() escapes what could drive a terminal", () => {
  assertEquals(printable("\x1b[31mred\x9b"), "\\x1b[31mred\\x9b");
});

Deno.test("Log.line() writes no control character, and nothing that ends a line or turns it around, in either format", async () => {
  const controls = Array.from({ length: 0xa0 }, (_, code) => String.fromCharCode(code)).filter((char) =>
    !/[\x20-\x7e]/.test(char)
  );
  for (const char of [...controls, "\u2028", "\u2029", "\u202e", "\u2066", "\u200f", "\ufeff"]) {
    const hostile = {
      ...RECORD,
      path: `/a${char}b`,
      userAgent: `x${char}y`,
      cause: `because${char}of`,
      causeOwner: "client",
    };
    for (const format of ["json", "combined"] as const) {
      const { text, sink } = collect();
      const log = new Log(sink, { format });
      log.line(format === "json" ? jsonAccessLine(hostile) : combinedAccessLine(hostile));
      log.log("warn", `m${char}n`, { field: `p${char}q` });
      await log.flush();
      const lines = text().split("\n");
      assertEquals([lines.length, lines[2]], [3, ""]);
      const unsafe = [...lines[0] + lines[1]].filter((found) => found === char || found < " ");
      assertEquals(unsafe, []);
      if (format === "combined") continue;
      const [access, said] = lines.slice(0, 2).map((line) => JSON.parse(line));
      assertEquals([access.path, access.user_agent, access.cause], [`/a${char}b?b`, `x${char}y`, `because${char}of`]);
      assertEquals([said.message, said.field], [`m${char}n`, `p${char}q`]);
    }
  }
});

Deno.test("Log.drain() gives up an output that takes nothing, and says how much is lost", async () => {
  const log = new Log(() => new Promise(() => {}));
  log.line("x".repeat(100));
  assert(await log.drain(20) >= 100);
});

Deno.test("Log.drain() waits for an output that is slow but takes what it is given", async () => {
  let text = "";
  const log = new Log(async (bytes) => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    text += new TextDecoder().decode(bytes);
  });
  for (let i = 0; i < 10; i++) {
    log.line(`line ${i}`);
    log.flush();
  }
  assertEquals(await log.drain(10_000), 0);
  assertEquals(text.split("\n").length, 11);
});

Deno.test("Log.write() counts the lines that it drops, not the batches", async () => {
  let release = () => {};
  let text = "";
  const stuck = new Promise<void>((resolve) => release = resolve);
  const log = new Log(async (bytes) => {
    await stuck;
    if (bytes.length < 1000) text += new TextDecoder().decode(bytes);
  });
  log.write(new Uint8Array(17 * 1024 * 1024));
  log.write(new TextEncoder().encode("one\ntwo\nthree\n"));
  release();
  await log.flush();
  log.line("after");
  await log.flush();
  assertStringIncludes(text, '"count":3}');
});

Deno.test("Log.reopen() opens the file anew at once, behind the lines that were gathered", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const log = new Log(openSink(`${folder}/a.log`));
    log.line("before");
    await Deno.rename(`${folder}/a.log`, `${folder}/a.log.1`);
    log.reopen();
    log.line("after");
    await log.flush();
    assertEquals(await Deno.readTextFile(`${folder}/a.log.1`), "before\n");
    assertEquals(await Deno.readTextFile(`${folder}/a.log`), "after\n");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("openSink() opens a file anew that was moved away, and loses no line", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const sink = openSink(`${folder}/a.log`);
    await sink(new TextEncoder().encode("one\n"));
    await Deno.rename(`${folder}/a.log`, `${folder}/a.log.1`);
    const later = Date.now() + 5000;
    using _time = stub(() => later);
    await sink(new TextEncoder().encode("two\n"));
    assertEquals(await Deno.readTextFile(`${folder}/a.log.1`), "one\n");
    assertEquals(await Deno.readTextFile(`${folder}/a.log`), "two\n");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

function stub(now: () => number): Disposable {
  const real = Date.now;
  Date.now = now;
  return { [Symbol.dispose]: () => void (Date.now = real) };
}
