// @ts-types="../../../types/std/assert.d.ts"
import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import type { BodySource } from "../../../lib/http/body.ts";
import { BodyReader, readWhole } from "../../../lib/http/body_reader.ts";
import { CHUNK_MAX_BYTES } from "../../../lib/handlers/files/file_stream.ts";
import type { FileServer } from "../../../lib/handlers/files/file_server.ts";
import { allClosed, ask, headOf, openFiles, patternBytes, SiteFolder } from "./site_folder.ts";

const SIZE = 4 * CHUNK_MAX_BYTES + 123;

async function bodySource(files: FileServer, headers: string[] = []): Promise<BodySource> {
  const { body } = await files.serve(headOf("/big.bin", { headers }));
  assert(body !== null && !(body instanceof Uint8Array));
  return body;
}

Deno.test("a large file streams whole, and each of its ranges from its place", async () => {
  const content = patternBytes(SIZE);
  await using site = await SiteFolder.make({ "big.bin": content });
  const files = site.serve();
  const whole = await ask(files, "/big.bin");
  assertStrictEquals(whole.header("content-length"), String(SIZE));
  assertEquals(whole.body, content);
  const middle = await ask(files, "/big.bin", { headers: ["range", "bytes=300000-900000"] });
  assertEquals(middle.body, content.subarray(300_000, 900_001));
  const parts = await ask(files, "/big.bin", { headers: ["range", "bytes=900000-,0-299999"] });
  assertEquals([parts.status, parts.header("content-length")], [206, String(parts.body.length)]);
  assert(parts.text.length > 0);
  assertStrictEquals(openFiles(site), 0);
});

Deno.test("a stream that is cancelled, before it began or in the middle, closes its file", async () => {
  await using site = await SiteFolder.make({ "big.bin": patternBytes(SIZE) });
  const files = site.serve();
  const unread = await bodySource(files);
  if (Deno.build.os === "linux") assertStrictEquals(openFiles(site), 1);
  unread.cancel("gone");
  const reader = new BodyReader(await bodySource(files));
  await reader.read();
  const pending = reader.read();
  reader.cancel("gone");
  assertStrictEquals(await pending, undefined);
  await allClosed(site);
});

Deno.test("responses without a body open nothing", async () => {
  await using site = await SiteFolder.make({ "big.bin": patternBytes(SIZE) });
  const files = site.serve();
  const tag = (await ask(files, "/big.bin", { method: "HEAD" })).header("etag") ?? "";
  for (const headers of [["if-none-match", tag], ["if-match", '"x"'], ["range", `bytes=${SIZE}-`]]) {
    const answer = await files.serve(headOf("/big.bin", { headers }));
    assertStrictEquals(answer.body, null);
  }
  assertStrictEquals(openFiles(site), 0);
});

Deno.test("a file that becomes shorter while it is sent fails its stream and closes", async () => {
  await using site = await SiteFolder.make({ "big.bin": patternBytes(SIZE) });
  const reader = new BodyReader(await bodySource(site.serve()));
  await reader.read();
  await Deno.truncate(`${site.root}/big.bin`, CHUNK_MAX_BYTES + 5);
  await assertRejects(
    async () => {
      while (await reader.read() !== undefined);
    },
    Error,
    "whole file",
  );
  assertStrictEquals(openFiles(site), 0);
});

Deno.test("a file that is written anew in its place while it is sent fails its stream", async () => {
  await using site = await SiteFolder.make({ "big.bin": patternBytes(SIZE) });
  const reader = new BodyReader(await bodySource(site.serve()));
  await reader.read();
  await Deno.writeFile(`${site.root}/big.bin`, new Uint8Array(SIZE));
  await assertRejects(
    async () => {
      while (await reader.read() !== undefined);
    },
    Error,
    "written while being sent",
  );
});

Deno.test("a file that grows or is replaced by rename while it is sent is sent as it was promised", async () => {
  const content = patternBytes(SIZE);
  await using site = await SiteFolder.make({ "big.bin": content });
  const files = site.serve();
  const growing = await bodySource(files);
  await Deno.writeFile(`${site.root}/big.bin`, new Uint8Array(1000), { append: true });
  assertEquals(await readWhole(growing), content);
  const replaced = await bodySource(files);
  await site.write("new.bin", "new");
  await Deno.rename(`${site.root}/new.bin`, `${site.root}/big.bin`);
  assertStrictEquals((await readWhole(replaced)).length, SIZE + 1000);
});

Deno.test("a length is that of the file that was opened, also when a page in memory knows another", async () => {
  await using site = await SiteFolder.make({ "big.bin": patternBytes(SIZE) });
  const files = site.serve({ nowMs: () => Date.UTC(2026, 0, 1) }); // the page never ages
  const before = await ask(files, "/big.bin", { method: "HEAD" });
  await site.write("big.bin", patternBytes(SIZE + 77), new Date(Date.UTC(2025, 0, 1)));
  const got = await ask(files, "/big.bin");
  assertEquals([got.header("content-length"), got.body.length], [String(SIZE + 77), SIZE + 77]);
  assert(got.header("etag") !== before.header("etag"));
});
