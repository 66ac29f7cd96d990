// @ts-types="../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { cacheControl } from "../../lib/features/cache_control.ts";
import type { ConfigInput } from "../../lib/generation/config/config_types.ts";
import { createHandler } from "../../lib/process/create_handler.ts";
import { inTemporaryFolder } from "../support/temporary_folder.ts";

const linesOf = (options: unknown, path: string) =>
  cacheControl.compile(cacheControl.schema.parse(options))?.fileLines(path);

type CacheInput = NonNullable<ConfigInput["sites"]>[number]["cache"];

Deno.test("cacheControl has no filter where the table says nothing", () => {
  assertEquals(cacheControl.compile(cacheControl.schema.parse(undefined)), undefined);
});

Deno.test("cacheControl takes the path of a rule in each way to write it", () => {
  for (const path of ["/stra\u00dfe/", "/stra%c3%9fe/", "/stra%C3%9Fe/"]) {
    const options = { rules: [{ path, control: "no-cache" }] };
    assertEquals(linesOf(options, "/stra\u00dfe/x.css"), ["cache-control", "no-cache"], path);
    assertEquals(linesOf(options, "/strasse/x.css"), [], path);
  }
  assertEquals(linesOf({ rules: [{ path: "/50%/", control: "no-cache" }] }, "/50%/x"), ["cache-control", "no-cache"]);
});

Deno.test("cacheControl takes the first rule that fits, in path and extension, else the general value", () => {
  const options = {
    max_age: "1h",
    rules: [
      { path: "/fonts/", extensions: ["woff2"], control: "immutable" },
      { extensions: [".CSS"], control: "no-cache" },
      { path: "/fonts/", control: "no-store" },
    ],
  };
  for (
    const [path, value] of [
      ["/fonts/a.woff2", "immutable"],
      ["/fonts/a.css", "no-cache"],
      ["/fonts/a.txt", "no-store"],
      ["/a.css", "no-cache"],
      ["/a.woff2", "public, max-age=3600"],
    ]
  ) assertEquals(linesOf(options, path), ["cache-control", value], path);
});

Deno.test("Cache-Control is that of the file that is sent: of an index file, of 200, 206 and 304, and of no error", async () => {
  await inTemporaryFolder({ "index.html": "page", "app.css": "style" }, async (folder) => {
    const cache: CacheInput = { rules: [{ extensions: ["html"], control: "no-cache" }], max_age: "1m" };
    const handler = createHandler({ sites: [{ static_dir: folder, cache }] });
    const got = async (path: string, headers: Record<string, string> = {}) => {
      const response = await handler(new Request(`http://localhost${path}`, { headers }));
      await response.body?.cancel();
      return [response.status, response.headers.get("cache-control"), response.headers.get("etag")];
    };
    try {
      const [status, control, tag] = await got("/");
      assertEquals([status, control], [200, "no-cache"]);
      assertEquals((await got("/", { "if-none-match": String(tag) })).slice(0, 2), [304, "no-cache"]);
      assertEquals((await got("/app.css", { range: "bytes=0-1" })).slice(0, 2), [206, "public, max-age=60"]);
      assertEquals((await got("/none.css"))[1] === "public, max-age=60", false);
    } finally {
      await handler.close();
    }
  });
});
