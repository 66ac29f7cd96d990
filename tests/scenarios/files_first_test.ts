/**
 * Routes with `try_files`: files before their upstream.
 *
 * @module
 */

// @ts-types="../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { explain } from "../../lib/generation/explain.ts";
import { header, statusOf, text } from "../support/message_reader.ts";
import { exchange, get, post } from "../support/raw_client.ts";
import { RunningProxy } from "../support/running_proxy.ts";
import { answerOf, ScriptedUpstream } from "../support/scripted_upstream.ts";
import { inTemporaryFolder } from "../support/temporary_folder.ts";
import { assertErrors, PROXY } from "../config/marked_config.ts";

const FILES = {
  "assets/x.css": "css",
  "a.txt": "file a",
  "app/page.html": "a page",
  "app/index.html": "the app",
  "b/index.html": "b",
};

async function withSite(work: (proxy: RunningProxy, upstream: ScriptedUpstream) => Promise<void>): Promise<void> {
  await inTemporaryFolder(FILES, async (folder) => {
    await using upstream = ScriptedUpstream.answering(({ firstLine }) => answerOf(`up ${firstLine.split(" ")[1]}`));
    await using proxy = await RunningProxy.start({
      upstreams: [upstream.url],
      site: { static_dir: folder, headers: { "X-Site": "s" } },
      proxy: {
        headers: { response: { set: { "X-Up": "u" } } },
        routes: [
          { path: "/", upstream: "app", try_files: ["$path", "$path/", "$path.html"] },
          { path: "/app/", upstream: "app", try_files: ["$path", "/app/index.html"] },
          { path: "/plain/", upstream: "app" },
          { path: "/assets/", upstream: "app", try_files: ["$path", "=404"] },
        ],
      },
    });
    await work(proxy, upstream);
  });
}

async function got(proxy: RunningProxy, request: string): Promise<[number, string]> {
  const response = await exchange(proxy.port, request);
  return [statusOf(response), text(response.body)];
}

Deno.test("a route with try_files serves the file that is there, and asks its upstream for all others", async () => {
  await withSite(async (proxy, upstream) => {
    for (let twice = 0; twice < 2; twice++) assertEquals(await got(proxy, get("/a.txt")), [200, "file a"]);
    assertEquals(await got(proxy, get("/app/page")), [200, "the app"]);
    assertEquals(await got(proxy, get("/b/")), [200, "b"]);
    assertEquals((await got(proxy, get("/b")))[0], 308);
    assertEquals(upstream.requests.length, 0);
    assertEquals(await got(proxy, get("/none?q=1")), [200, "up /none?q=1"]);
    assertEquals(await got(proxy, get("/plain/a.txt")), [200, "up /plain/a.txt"]);
    assertEquals(upstream.requests.length, 2);
  });
});

Deno.test("a route with try_files sends other methods and what it cannot read as the path of a file upstream", async () => {
  await withSite(async (proxy) => {
    assertEquals(await got(proxy, post("/a.txt", "x")), [200, "up /a.txt"]);
    assertEquals(await got(proxy, get("/x%2Fa.txt")), [200, "up /x%2Fa.txt"]);
    assertEquals(await got(proxy, get("/.hidden")), [200, "up /.hidden"]);
  });
});

Deno.test('a route whose try_files end with "=404" sends no GET or HEAD upstream', async () => {
  await withSite(async (proxy, upstream) => {
    assertEquals(await got(proxy, get("/assets/x.css")), [200, "css"]);
    const refused = ["/assets/none.css", "/assets/", "/assets/.hidden", "/assets/a%2Fb", "/assets/%ff"];
    for (const target of refused) assertEquals((await got(proxy, get(target)))[0], target.endsWith("ff") ? 400 : 404);
    assertEquals(upstream.requests.length, 0);
    assertEquals(await got(proxy, post("/assets/none.css", "x")), [200, "up /assets/none.css"]);
  });
});

Deno.test("a file of a route has the fields of the site, and none that are for responses of upstreams", async () => {
  await withSite(async (proxy) => {
    const [file, passed] = [await exchange(proxy.port, get("/a.txt")), await exchange(proxy.port, get("/none"))];
    assertEquals([header(file, "x-site"), header(file, "x-up"), header(file, "content-type")], [
      ...["s", undefined, "text/plain; charset=UTF-8"],
    ]);
    assertEquals([header(passed, "x-site"), header(passed, "x-up")], ["s", "u"]);
    const tag = header(file, "etag") ?? "";
    assertEquals((await got(proxy, get("/a.txt", `If-None-Match: ${tag}\r\n`)))[0], 304);
  });
});

Deno.test("an explanation says whether a file or the upstream takes a request", async () => {
  await withSite(async (proxy) => {
    const told = async (target: string) => {
      const { outcome, status, route, files } = await explain(proxy.generation, {
        ...{
          method: "GET",
          url: `http://127.0.0.1:${proxy.port}${target}`,
          client: "127.0.0.1",
          headers: new Headers(),
        },
      }, { ports: [proxy.port] });
      return [outcome, status, route?.path, files?.file?.split("/").at(-1), files?.tried];
    };
    assertEquals(await told("/a.txt"), ["files", 200, "/", "a.txt", ["/a.txt"]]);
    assertEquals(await told("/none"), ["upstream", null, "/", undefined, undefined]);
  });
});

Deno.test("parseConfig() refuses try_files of a route that can find nothing", () => {
  assertErrors(`${PROXY}«try_files» = ["$path"]`, [
    "try_files looks for files, and the site has no static_dir, expected static_dir in [[sites]], or no try_files",
  ]);
  assertErrors(`[[sites]]\nstatic_dir = "/"\n${PROXY.slice(10)}try_files = [«"=404"», "$path"]\n`, [
    'try_files goes on after "=404", expected "=404" at the end only',
  ]);
});
