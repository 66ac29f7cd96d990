/**
 * Error pages of sites and routes: which page a failure gets, their placeholders, and those in place of upstreams' errors.
 *
 * @module
 */

// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertStringIncludes } from "@std/assert";
import { assertErrors, PROXY } from "../config/marked_config.ts";
import { LoggedProxy } from "../support/logged_proxy.ts";
import { header, statusOf, text } from "../support/message_reader.ts";
import { exchange, get, head } from "../support/raw_client.ts";
import { RunningProxy } from "../support/running_proxy.ts";
import { answerOf, ScriptedUpstream } from "../support/scripted_upstream.ts";
import { inTemporaryFolder } from "../support/temporary_folder.ts";

const PAGE = `<title>{status}</title><p class="{method}">{request.id} {header.x-name} {path} {unknown} {{status}}
<script>const {status} = window; // {request.id}</script><style>a{status}</style><p>{status}`;
const FILES = {
  ...{ "page.html": PAGE, "site404.html": "site 404", "route404.html": "route 404", "plain.html": "{}" },
  ...{ "error.json": '{"path":"{path}","n":{status},"name":"{header.x-name}"}', "error.svg": "{status}" },
};

/** A site whose upstream answers with the status in the path. */
async function withSite(work: (proxy: LoggedProxy, upstream: ScriptedUpstream) => Promise<void>): Promise<void> {
  await inTemporaryFolder(FILES, async (folder) => {
    await using upstream = ScriptedUpstream.answering(({ firstLine }) => {
      const status = firstLine.split("/").at(-2)?.split(" ")[0] ?? "";
      const lines = "Retry-After: 7\r\nX-Secret: s\r\nWWW-Authenticate: Basic\r\nSet-Cookie: a=1\r\n";
      const answer = answerOf("the upstream's own", lines).replace("200 OK", `${status} X`);
      return firstLine.startsWith("HEAD") ? answer.slice(0, answer.indexOf("\r\n\r\n") + 4) : answer;
    });
    const file = (name: string) => `${folder}/${name}`;
    await using proxy = await LoggedProxy.start({
      upstreams: [upstream.url],
      site: {
        error_pages: { "404": file("site404.html"), "5xx": file("page.html"), "403": file("error.json") },
        intercept_errors: [404, "5xx"],
      },
      proxy: {
        routes: [
          { path: "/a/", upstream: "app" },
          {
            ...{
              path: "/b/",
              upstream: "app",
              error_pages: { "404": file("route404.html"), "4xx": file("error.json") },
            },
            intercept_errors: ["4xx"],
          },
          { path: "/c/", upstream: "app", intercept_errors: [], error_pages: { "418": file("error.svg") } },
          { path: "/d/", upstream: "app", intercept_errors: [418], error_pages: { "418": file("error.svg") } },
        ],
      },
    });
    await work(proxy, upstream);
  });
}

async function got(proxy: LoggedProxy, target: string, lines = ""): Promise<[number, string]> {
  const response = await exchange(proxy.port, get(target, lines));
  return [statusOf(response), text(response.body)];
}

Deno.test("error pages of a route take the place of its site's; a status comes before its class", async () => {
  await withSite(async (proxy) => {
    assertEquals(await got(proxy, "/none"), [404, "site 404"]);
    assertEquals(await got(proxy, "/a/404"), [404, "site 404"]);
    assertEquals(await got(proxy, "/b/404"), [404, "route 404"]);
    assertEquals((await got(proxy, "/b/409"))[1].slice(0, 15), '{"path":"/b/409');
  });
});

Deno.test("intercept_errors puts the page in place of the upstream's response, which others keep", async () => {
  await withSite(async (proxy) => {
    for (
      const [target, own] of [["/a/500", false], ["/a/403", true], ["/b/500", true], ["/c/404", true], ["/c/418", true]]
    ) {
      const [, body] = await got(proxy, String(target));
      assertEquals(body === "the upstream's own", own, String(target));
    }
    assertEquals(await got(proxy, "/d/418"), [418, "{status}"]);
    const page = await exchange(proxy.port, get("/a/503"));
    const names = ["retry-after", "www-authenticate", "x-secret", "set-cookie", "cache-control", "content-type"];
    assertEquals(names.map((name) => header(page, name)), [
      "7",
      "Basic",
      undefined,
      undefined,
      "no-store",
      "text/html; charset=UTF-8",
    ]);
    const { cause, cause_owner: owner, upstream_ms: ms } = await proxy.accessLine("/a/503");
    assertEquals([cause, owner, typeof ms], ["The upstream responded with 503", "upstream", "number"]);
    const none = await exchange(proxy.port, head("/a/503"), "HEAD");
    assertEquals([statusOf(none), none.body.length], [503, 0]);
  });
});

Deno.test("placeholders of an error page have values that are escaped, and code is left alone", async () => {
  await withSite(async (proxy) => {
    const [, page] = await got(proxy, "/a/502?x", `X-Name: <b>"'&\`\r\nX-Request-Id: r\r\n`);
    assertStringIncludes(page, '<title>502</title><p class="GET">');
    assertStringIncludes(page, " &#60;b&#62;&#34;&#39;&#38;&#96; /a/502 {unknown} {status}\n");
    assertStringIncludes(
      page,
      "<script>const {status} = window; // {request.id}</script><style>a{status}</style><p>502",
    );
    const [, json] = await got(proxy, "/b/409", 'X-Name: "\\\r\n');
    assertEquals(JSON.parse(json), { path: "/b/409", n: 409, name: '"\\' });
  });
});

Deno.test("parseConfig() refuses error pages of a route that are not there, and errors that are none", () => {
  assertErrors(`${PROXY}error_pages = { 404 = «"/none/404.html"» }`, [
    'error_pages.404 "/none/404.html" is not there, expected a file',
  ], { checkFiles: true });
  assertErrors(`${PROXY}error_pages = { «"6xx"» = "x" }`, [
    'invalid key "6xx" in [sites.proxy.routes.error_pages], expected a status from 400 to 599, or "4xx" or "5xx"',
  ]);
  assertErrors(`${PROXY}intercept_errors = «["2xx", 404]»`, [
    "a response below 400 is no error, expected statuses from 400 to 599",
  ]);
});

Deno.test("intercept_errors leaves the rest of an upstream's response unread, and nothing under way", async () => {
  await using upstream = ScriptedUpstream.start(async (peer) => {
    while (await peer.request() !== undefined) {
      await peer.send("HTTP/1.1 503 X\r\nContent-Length: 1000000\r\n\r\n" + "x".repeat(1000));
      await peer.closed();
    }
  });
  // It fails at its end when an exchange or an attempt is under way.
  await using proxy = await RunningProxy.start({ upstreams: [upstream.url], site: { intercept_errors: "5xx" } });
  for (const request of [get("/a"), get("/b", "Accept: text/html\r\n")]) {
    const response = await exchange(proxy.port, request);
    assertEquals([statusOf(response), response.whole], [503, true]);
    assertStringIncludes(text(response.body), "Service Unavailable");
  }
});
