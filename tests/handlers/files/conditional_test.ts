// @ts-types="../../../types/std/assert.d.ts"
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import type { HeaderLines } from "../../../lib/http/message.ts";
import { ask, patternBytes, SiteFolder } from "./site_folder.ts";

const MODIFIED = "Tue, 02 Jan 2024 03:04:05 GMT";
const BEFORE = "Tue, 02 Jan 2024 03:04:04 GMT";
const AFTER = "Tue, 02 Jan 2024 03:04:06 GMT";

// The same questions to a file in memory and to one that streams: both must give the same answers.
for (const [kind, hotFileMaxBytes] of [["in memory", 65536], ["on disk", 10]] as const) {
  Deno.test(`preconditions of a file ${kind} are evaluated in the order of RFC 9110, section 13.2.2`, async () => {
    await using site = await SiteFolder.make({ "a.txt": "0123456789abcdef" });
    const files = site.serve({ hotFileMaxBytes });
    const tag = (await ask(files, "/a.txt")).header("etag") ?? "";
    const status = async (...headers: string[]) => (await ask(files, "/a.txt", { headers })).status;
    const cases: [number, HeaderLines][] = [
      [304, ["if-none-match", tag]],
      [304, ["if-none-match", `"x", W/${tag}`]],
      [304, ["if-none-match", '"x"', "If-None-Match", tag]],
      [304, ["if-none-match", "*"]],
      [200, ["if-none-match", '"x"']],
      [304, ["if-modified-since", MODIFIED]],
      [304, ["if-modified-since", AFTER]],
      [200, ["if-modified-since", BEFORE]],
      [200, ["if-none-match", '"x"', "if-modified-since", AFTER]],
      [200, ["if-match", tag]],
      [200, ["if-match", "*"]],
      [412, ["if-match", `W/${tag}`]],
      [412, ["if-match", '"x"']],
      [412, ["if-match", '"x"', "if-none-match", tag]],
      [304, ["if-match", tag, "if-none-match", tag]],
      [412, ["if-unmodified-since", BEFORE]],
      [200, ["if-unmodified-since", MODIFIED]],
      [200, ["if-match", tag, "if-unmodified-since", BEFORE]],
      [206, ["range", "bytes=0-1"]],
      [304, ["range", "bytes=0-1", "if-none-match", tag]],
      [412, ["range", "bytes=0-1", "if-match", '"x"']],
      [206, ["range", "bytes=0-1", "if-range", tag]],
      [200, ["range", "bytes=0-1", "if-range", `W/${tag}`]],
      [200, ["range", "bytes=0-1", "if-range", '"x"']],
      [206, ["range", "bytes=0-1", "if-range", MODIFIED]],
      [200, ["range", "bytes=0-1", "if-range", AFTER]],
      [200, ["range", "bytes=0-1", "if-range", "yesterday"]],
      [200, ["range", "bytes=90-", "if-range", '"x"']],
      [416, ["range", "bytes=90-", "if-range", tag]],
      [200, ["range", "bytes=0-1", "range", "bytes=2-3"]],
      [200, ["if-range", tag]],
    ];
    for (const [expected, headers] of cases) {
      assertStrictEquals(await status(...headers), expected, headers.join(" | "));
    }
  });

  Deno.test(`a file ${kind} survives malformed conditions`, async () => {
    await using site = await SiteFolder.make({ "a.txt": "0123456789abcdef" });
    const files = site.serve({ hotFileMaxBytes });
    const values = ["", " ", "\xff\xfe", '"', 'W/"', ",,,,", "0", "-1", "NaN", "Thu, 99 Foo 20x4", "x".repeat(50_000)];
    for (const value of values) {
      for (const name of ["if-none-match", "if-modified-since", "if-unmodified-since", "range", "accept-encoding"]) {
        assertStrictEquals((await ask(files, "/a.txt", { headers: [name, value] })).status, 200, `${name}: ${value}`);
      }
      assertStrictEquals((await ask(files, "/a.txt", { headers: ["if-match", value] })).status, 412);
      const ranged = await ask(files, "/a.txt", { headers: ["if-range", value, "range", "bytes=0-0"] });
      assertStrictEquals(ranged.status, 200);
    }
  });

  Deno.test(`a file ${kind} is sent in ranges with exactly their bytes`, async () => {
    const content = patternBytes(1000);
    await using site = await SiteFolder.make({ "a.bin": content, "empty.txt": "" });
    const files = site.serve({ hotFileMaxBytes });
    const range = (value: string) => ask(files, "/a.bin", { headers: ["range", value] });
    for (
      const [value, start, end] of [["bytes=0-0", 0, 1], ["bytes=990-", 990, 1000], ["bytes=-7", 993, 1000]] as const
    ) {
      const got = await range(value);
      assertEquals([got.status, got.header("content-range")], [206, `bytes ${start}-${end - 1}/1000`]);
      assertStrictEquals(got.header("content-length"), String(end - start));
      assertEquals(got.body, content.subarray(start, end));
      assertStrictEquals(got.header("content-type"), "application/octet-stream");
    }
    const beyond = await range("bytes=1000-");
    const lines = ["content-range", "bytes */1000"];
    assertEquals(beyond.answer, {
      ...{ status: 416, headers: lines, body: null },
      contentKey: undefined,
      passed: undefined,
    });
    const empty = await ask(files, "/empty.txt");
    assertEquals([empty.status, empty.header("content-length"), empty.body.length], [200, "0", 0]);
    const emptyRange = await ask(files, "/empty.txt", { headers: ["range", "bytes=0-"] });
    assertEquals([emptyRange.status, emptyRange.header("content-range")], [416, "bytes */0"]);
    const absurd = await range(`bytes=${Array.from({ length: 1000 }, (_, i) => `${i}-`).join()}`);
    assertEquals([absurd.status, absurd.body.length], [200, 1000]);
  });

  Deno.test(`a file ${kind} is sent in several ranges as multipart/byteranges`, async () => {
    const content = patternBytes(1000);
    await using site = await SiteFolder.make({ "a.bin": content, "a.bin.gz": content });
    const files = site.serve({ hotFileMaxBytes });
    const got = await ask(files, "/a.bin", { headers: ["range", "bytes=900-949,0-9,-5"] });
    assertStrictEquals(got.status, 206);
    assertStrictEquals(got.header("content-length"), String(got.body.length));
    assertStrictEquals(got.header("content-range"), undefined);
    const boundary = /^multipart\/byteranges; boundary=(\S+)$/.exec(got.header("content-type") ?? "")?.[1];
    const latin1 = (bytes: Uint8Array) => Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
    const part = (start: number, end: number) =>
      `Content-Type: application/octet-stream\r\nContent-Range: bytes ${start}-${end - 1}/1000\r\n\r\n` +
      latin1(content.subarray(start, end));
    const parts = [part(900, 950), part(0, 10), part(995, 1000)];
    assertStrictEquals(
      latin1(got.body),
      parts.map((text) => `--${boundary}\r\n${text}\r\n`).join("") + `--${boundary}--\r\n`,
    );
    const again = await ask(files, "/a.bin", { headers: ["range", "bytes=900-949,0-9,-5"] });
    assert(again.header("content-type") !== got.header("content-type"));
    const merged = await ask(files, "/a.bin", { headers: ["range", "bytes=5-9,0-4"] });
    assertEquals([merged.status, merged.header("content-range")], [206, "bytes 0-9/1000"]);
    // Several parts of a coded file would be labelled wrongly: it is sent whole.
    const coded = await ask(files, "/a.bin", { headers: ["range", "bytes=0-1,5-6", "accept-encoding", "gzip"] });
    assertEquals([coded.status, coded.header("content-encoding")], [200, "gzip"]);
    const one = await ask(files, "/a.bin", { headers: ["range", "bytes=0-1", "accept-encoding", "gzip"] });
    assertEquals([one.status, one.header("content-encoding"), one.body.length], [206, "gzip", 2]);
  });
}

Deno.test("a 304 carries the lines that its 200 would carry and no length", async () => {
  await using site = await SiteFolder.make({ "a.txt": "x", "a.txt.gz": "y" });
  const files = site.serve({ fileLines: () => ["cache-control", "no-cache"] });
  const got = await ask(files, "/a.txt");
  const unchanged = await ask(files, "/a.txt", { headers: ["if-none-match", got.header("etag") ?? ""] });
  for (const name of ["etag", "cache-control", "vary", "last-modified"]) {
    assertStrictEquals(unchanged.header(name), got.header(name));
  }
  assertEquals([unchanged.header("content-length"), unchanged.answer.body], [undefined, null]);
});

Deno.test("a file from the future is sent as changed now, and its date is not strong", async () => {
  const nowMs = Date.UTC(2026, 0, 1);
  await using site = await SiteFolder.make();
  await site.write("a.txt", "x", new Date(Date.UTC(2030, 0, 1)));
  const files = site.serve({ nowMs: () => nowMs });
  const got = await ask(files, "/a.txt");
  assertStrictEquals(got.header("last-modified"), "Thu, 01 Jan 2026 00:00:00 GMT");
  const headers = ["range", "bytes=0-0", "if-range", "Thu, 01 Jan 2026 00:00:00 GMT"];
  assertStrictEquals((await ask(files, "/a.txt", { headers })).status, 200);
});

Deno.test("a file whose time is a constant of its store has no validators, and new content of the same size is sent", async () => {
  for (const seconds of [0, 1, 1.5]) {
    for (const hotFileMaxBytes of [0, 65536]) {
      await using site = await SiteFolder.make();
      const time = new Date(seconds * 1000);
      await site.write("a.txt", "one", time);
      let now = Date.now();
      const files = site.serve({ hotFileMaxBytes, nowMs: () => now });
      const first = await ask(files, "/a.txt");
      assertEquals([first.text, first.header("etag"), first.header("last-modified")], ["one", undefined, undefined]);
      // Put in place anew, as another release is.
      await site.write("b.txt", "two", time);
      await Deno.rename(`${site.root}/b.txt`, `${site.root}/a.txt`);
      now += 1000;
      const conditions = [
        ...[["if-modified-since", "Thu, 01 Jan 1970 00:00:01 GMT"], ["if-none-match", '"0-3"'], [
          "if-none-match",
          '"rs-3"',
        ]],
      ];
      for (const headers of conditions) {
        const second = await ask(files, "/a.txt", { headers });
        assertEquals([second.status, second.text], [200, "two"], headers.join(": "));
      }
      const range = ["range", "bytes=0-0", "if-range", "Thu, 01 Jan 1970 00:00:01 GMT"];
      assertEquals((await ask(files, "/a.txt", { headers: range })).status, 200);
      assertEquals((await ask(files, "/a.txt", { headers: ["if-none-match", "*"] })).status, 304);
    }
  }
});

Deno.test("a file of the third second of 1970 has its validators", async () => {
  await using site = await SiteFolder.make();
  await site.write("a.txt", "one", new Date(2000));
  assertEquals((await ask(site.serve(), "/a.txt")).header("last-modified"), "Thu, 01 Jan 1970 00:00:02 GMT");
});
