// @ts-types="../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { cacheControl } from "../../lib/features/cache_control.ts";
import type { ConfigInput } from "../../lib/generation/config/config_types.ts";
import { createHandler } from "../../lib/process/create_handler.ts";
import { headerAll } from "../support/message_reader.ts";
import { exchange, get } from "../support/raw_client.ts";
import { RunningProxy } from "../support/running_proxy.ts";
import { answerOf, ScriptedUpstream } from "../support/scripted_upstream.ts";
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

Deno.test("cache gives responses of upstreams a Cache-Control where it is asked to, and none that is for one user", async () => {
  await using upstream = ScriptedUpstream.answering(({ firstLine }) => {
    const [status, lines = ""] = firstLine.split(" ")[1].split("/").slice(2);
    return answerOf("x", lines === "" ? "" : `${decodeURIComponent(lines)}\r\n`).replace("200 OK", `${status} X`);
  });
  await using proxy = await RunningProxy.start({
    upstreams: [upstream.url],
    site: { cache: { max_age: 60 } },
    proxy: {
      routes: [
        { path: "/none/", upstream: "app" },
        {
          path: "/route/",
          upstream: "app",
          cache: { max_age: 5, rules: [{ extensions: ["css"], control: "immutable" }] },
        },
        { path: "/all/", upstream: "app", cache: { control: "no-cache", proxied: "replace" } },
        { path: "/keep/", upstream: "app", cache: { max_age: 5, proxied: "keep" } },
      ],
    },
  });
  const got = async (target: string, lines = "", method = "GET") => {
    const request = get(target, lines).replace("GET", method);
    return headerAll(await exchange(proxy.port, request, method), "cache-control").join("|");
  };
  const made = "public, max-age=5";
  const cases: readonly (readonly [string, string, string?, string?])[] = [
    ["/none/200", ""],
    ["/keep/200", ""],
    ["/route/200", made],
    ["/route/304", made],
    ["/route/301", made],
    ["/route/302", ""],
    ["/route/404", ""],
    ["/route/500", ""],
    ["/route/200/Cache-Control%3A%20private", "private"],
    ["/route/200/Expires%3A%200", ""],
    ["/route/200/Set-Cookie%3A%20a=1", ""],
    ["/route/200", "", "Authorization: Basic eDp5\r\n"],
    ["/route/200", "", "Content-Length: 0\r\n", "POST"],
    ["/route/200/X-A%3A%20.css", "immutable"],
    ["/all/200/Cache-Control%3A%20private%0D%0ACache-Control%3A%20max-age=1", "no-cache"],
    ["/all/200/Set-Cookie%3A%20a=1", "no-cache"],
  ];
  for (const [target, expected, lines, method] of cases) {
    assertEquals(await got(target, lines, method), expected, target);
  }
});

Deno.test("cache of a route holds for the files that it serves", async () => {
  await inTemporaryFolder({ "r/a.txt": "a", "b.txt": "b" }, async (folder) => {
    await using upstream = ScriptedUpstream.answering(answerOf("x"));
    await using proxy = await RunningProxy.start({
      upstreams: [upstream.url],
      site: { static_dir: folder, cache: { max_age: 60 } },
      proxy: { routes: [{ path: "/r/", upstream: "app", try_files: ["$path"], cache: { control: "no-cache" } }] },
    });
    for (const [target, expected] of [["/r/a.txt", "no-cache"], ["/b.txt", "public, max-age=60"]]) {
      for (let twice = 0; twice < 2; twice++) {
        assertEquals(headerAll(await exchange(proxy.port, get(target)), "cache-control"), [expected]);
      }
    }
  });
});
