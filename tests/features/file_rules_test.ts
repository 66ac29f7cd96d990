/**
 * Keys of files: `file_rules`, `media_types` and `api_only`, over a running site.
 *
 * @module
 */

// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertThrows } from "@std/assert";
import { fileRules } from "../../lib/features/file_rules.ts";
import { attachment } from "../../lib/http/content_disposition.ts";
import { createHandler } from "../../lib/process/create_handler.ts";
import { assertErrors, assertWarnings } from "../config/marked_config.ts";
import type { ConfigInput } from "../../lib/generation/config/config_types.ts";
import { inTemporaryFolder } from "../support/temporary_folder.ts";

const FILES = {
  ...{ "a.txt": "text", "b.PDF": "pdf", "fonts/f.woff2": "font", "fonts/deep/g.woff2": "font", "index.html": "<p>" },
  ...{ "data.foo": "foo", "plain": "plain", "x.tar.gz": "zip", ".well-known/apple-app-site-association": "{}" },
  ...{ 'dl/ä "b"%41;c.txt': "odd" },
};

type Site = Partial<ConfigInput["sites"][number]>;

/** Runs a site over the files, and gives what a request gets. */
async function withFiles(
  site: Site,
  work: (get: (path: string, init?: RequestInit) => Promise<Response>) => Promise<void>,
): Promise<void> {
  await inTemporaryFolder(FILES, async (folder) => {
    const handler = createHandler({ sites: [{ static_dir: folder, ...site }] });
    try {
      await work(async (path, init) => {
        const response = await handler(new Request(`http://site.test${path}`, init));
        const body = await response.bytes();
        return new Response(body.length === 0 ? null : body, response);
      });
    } finally {
      await handler.close();
    }
  });
}

Deno.test("file_rules set fields of files by name and folder, the later one of two, on 200, 206 and 304", async () => {
  const rules: NonNullable<Site["file_rules"]> = [
    { match: ["/fonts/*"], headers: { "Access-Control-Allow-Origin": "*", "X-Rule": "fonts" } },
    { match: ["*.WOFF2", "a.txt"], headers: { "x-rule": "names", "Cache-Control": "no-cache" } },
    { match: ["/fonts/*.woff2"], headers: { "X-Direct": "1" } },
  ];
  await withFiles({ file_rules: rules, cache: { max_age: 60 } }, async (get) => {
    const lines = async (path: string, headers: HeadersInit = {}) => {
      const got = await get(path, { headers });
      return [
        got.status,
        ...["x-rule", "access-control-allow-origin", "x-direct", "cache-control"].map((name) => got.headers.get(name)),
      ];
    };
    assertEquals(await lines("/fonts/f.woff2"), [200, "names", "*", "1", "no-cache"]);
    assertEquals(await lines("/fonts/deep/g.woff2"), [200, "names", "*", null, "no-cache"]);
    assertEquals(await lines("/a.txt", { range: "bytes=0-0" }), [206, "names", null, null, "no-cache"]);
    const tag = (await get("/a.txt")).headers.get("etag") ?? "";
    assertEquals(await lines("/a.txt", { "if-none-match": tag }), [304, "names", null, null, "no-cache"]);
    assertEquals(await lines("/index.html"), [200, null, null, null, "public, max-age=60"]);
    assertEquals((await lines("/fonts/none"))[0], 404);
  });
});

Deno.test("download makes browsers save a file under its name, with ranges and HEAD alike", async () => {
  await withFiles({ file_rules: [{ match: ["*.pdf", "/dl/*"], download: true }] }, async (get) => {
    const disposition = async (path: string, init?: RequestInit) => {
      const got = await get(path, init);
      return [got.status, got.headers.get("content-disposition")];
    };
    const pdf = 'attachment; filename="b.PDF"';
    assertEquals(await disposition("/b.PDF"), [200, pdf]);
    assertEquals(await disposition("/b.PDF", { method: "HEAD" }), [200, pdf]);
    assertEquals(await disposition("/b.PDF", { headers: { range: "bytes=1-" } }), [206, pdf]);
    assertEquals(await disposition("/a.txt"), [200, null]);
    assertEquals(await disposition(`/dl/${encodeURIComponent('ä "b"%41;c.txt')}`), [
      ...[200, `attachment; filename="_ _b__41;c.txt"; filename*=UTF-8''%C3%A4%20%22b%22%2541%3Bc.txt`],
    ]);
  });
  assertEquals(attachment("(it's)*.txt"), `attachment; filename="(it's)*.txt"`);
  assertEquals(
    attachment("😀'(*).txt"),
    `attachment; filename="_'(*).txt"; filename*=UTF-8''%F0%9F%98%80%27%28%2A%29.txt`,
  );
});

Deno.test("media_types go by extension, the longest first, by name, and by * for the rest", async () => {
  const types = {
    ...{ ".foo": "application/foo", ".tar.gz": "application/x-tgz", ".GZ": "application/x-gz" },
    ...{ "apple-app-site-association": "application/json" },
  };
  const typesOf = async (media_types: Record<string, string>) => {
    const got: (string | null)[] = [];
    await withFiles({ media_types }, async (get) => {
      for (const path of ["/data.foo", "/x.tar.gz", "/.well-known/apple-app-site-association", "/a.txt", "/plain"]) {
        got.push((await get(path)).headers.get("content-type"));
      }
    });
    return got;
  };
  const text = "text/plain; charset=UTF-8";
  assertEquals(await typesOf(types), [
    ...["application/foo", "application/x-tgz", "application/json", text, "application/octet-stream"],
  ]);
  assertEquals(await typesOf({ "*": "text/plain", ".txt": "text/x" }), [
    ...["text/plain", "application/gzip", "text/plain", "text/x", "text/plain"],
  ]);
});

Deno.test("files take GET, HEAD and OPTIONS alone, whatever the preconditions", async () => {
  await withFiles({}, async (get) => {
    for (const method of ["PUT", "DELETE", "PATCH", "POST", "PROPFIND"]) {
      for (const header of [["if-match", "*"], ["if-none-match", "*"], ["if-match", '"x"']] as [string, string][]) {
        const got = await get("/a.txt", { method, headers: [header] });
        assertEquals([got.status, got.headers.get("allow")], [405, "GET, HEAD, OPTIONS"], method);
      }
    }
    assertEquals(await (await get("/a.txt")).text(), "text");
  });
});

Deno.test("api_only serves the site's endpoints and no files", async () => {
  await withFiles({ api_only: true }, async (get) => {
    assertEquals([(await get("/a.txt")).status, (await get("/")).status, (await get("/api/health")).status], [
      404,
      404,
      200,
    ]);
  });
});

Deno.test("parseConfig() refuses rules of files that do nothing, or say what the file is", () => {
  const rule = '[[sites]]\nstatic_dir = "/"\n[[sites.file_rules]]\nmatch = ["*.pdf"]\n';
  const nothing = rule.replace("[[sites.file_rules]]\n", "«[[sites.file_rules]]»\n");
  assertErrors(nothing, ["the rule does nothing, expected headers, download = true, or both"]);
  const match = 'expected a file name such as "*.pdf" or "report.csv", or a path such as "/downloads/*"';
  assertErrors(`${rule.replace('"*.pdf"', '«".pdf"»')}download = true`, [
    `match[0] is ".pdf", ${match} (did you mean "*.pdf"?)`,
  ]);
  assertErrors(`${rule}headers = { Content-Type = «"a/b"» }`, [
    "Content-Type tells what the file is, expected media_types in [[sites]]",
  ]);
  assertWarnings(`${rule.replace("[[sites.f", '[sites.headers]\nX-A = "1"\n[[sites.f')}headers = { «x-a» = "2" }`, [
    "x-a has no effect here: [sites.headers] sets it on every response, expected the field in one of the two places",
  ]);
  assertThrows(() => fileRules.schema.parse([{ match: [], download: true }]));
});
