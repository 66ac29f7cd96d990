// @ts-types="../../../types/std/assert.d.ts"
import { assert, assertEquals, assertInstanceOf, assertStrictEquals, assertThrows } from "@std/assert";
import type { FileWarning } from "../../../lib/handlers/files/file_warnings.ts";
import { headerValue } from "../../../lib/http/header_lines.ts";
import type { HttpResponse } from "../../../lib/http/message.ts";
import { until } from "../../support/condition.ts";
import { bytesOf } from "../../support/response_bytes.ts";
import { ask, type AskOptions, headOf, patternBytes, serving, SiteFolder } from "./site_folder.ts";

Deno.test("FileServer.serve() sends a file with its type, length and validators", async () => {
  await using site = await SiteFolder.make({ "a b/café.txt": "hello", "x.unheard": "?" });
  const files = site.serve({ fileLines: (path) => path.endsWith(".txt") ? ["cache-control", "max-age=60"] : [] });
  const got = await ask(files, "/a%20b/caf%C3%A9.txt");
  assertStrictEquals(got.status, 200);
  assertStrictEquals(got.text, "hello");
  assertStrictEquals(got.header("content-type"), "text/plain; charset=UTF-8");
  assertStrictEquals(got.header("content-length"), "5");
  assertStrictEquals(got.header("last-modified"), "Tue, 02 Jan 2024 03:04:05 GMT");
  assertStrictEquals(got.header("accept-ranges"), "bytes");
  assertStrictEquals(got.header("cache-control"), "max-age=60");
  assert(/^"[0-9a-z-]+"$/.test(got.header("etag") ?? ""));
  const unknown = await ask(files, "/x.unheard");
  assertStrictEquals(unknown.header("content-type"), "application/octet-stream");
  assertStrictEquals(unknown.header("x-content-type-options"), "nosniff");
  assertStrictEquals(unknown.header("cache-control"), undefined);
});

Deno.test("FileServer.serve() responds to HEAD as to GET without a body, to OPTIONS with 204 and to other methods with 405", async () => {
  await using site = await SiteFolder.make({ "a.txt": "hello", "big.bin": patternBytes(300_000) });
  const files = site.serve();
  for (const path of ["/a.txt", "/big.bin"]) {
    const get = await ask(files, path);
    const head = await ask(files, path, { method: "HEAD", headers: ["range", "bytes=0-1"] });
    assertEquals(head.answer, { ...get.answer, body: null });
  }
  const options = await ask(files, "/nothing", { method: "OPTIONS" });
  assertEquals(options.answer, { status: 204, headers: ["allow", "GET, HEAD, OPTIONS"], body: null });
  for (const method of ["POST", "PUT", "DELETE", "TRACE", "CONNECT", "get", ""]) {
    const refused = await ask(files, "/a.txt", { method });
    assertEquals(refused.answer, { status: 405, headers: ["allow", "GET, HEAD, OPTIONS"], body: null });
  }
});

Deno.test("FileServer.serve() gives the lines of a 200 and of a 304 as bytes where they are taken so", async () => {
  await using site = await SiteFolder.make({ "a.txt": "hello", "big.bin": patternBytes(300_000) });
  const files = site.serve({ fileLines: () => ["Cache-Control", "max-age=60"] });
  const entityTag = (await ask(files, "/a.txt")).header("etag") ?? "";
  const cases: [target: string, options: AskOptions, asBytes: boolean][] = [
    ["/a.txt", {}, true],
    ["/a.txt", { headers: ["if-none-match", entityTag] }, true],
    ["/a.txt", { headers: ["if-none-match", '"other"'] }, true],
    ["/a.txt", { headers: ["if-match", '"other"'] }, false],
    ["/a.txt", { headers: ["range", "bytes=1-2"] }, false],
    ["/a.txt", { headers: ["range", "bytes=9-"] }, false],
    ["/a.txt", { method: "HEAD" }, true],
    ["/big.bin", {}, true],
    ["/big.bin", { method: "HEAD" }, true],
    ["/big.bin", { headers: ["if-none-match", "*"] }, true],
    ["/nothing", {}, false],
  ];
  for (const [target, options, asBytes] of cases) {
    const { answer, body } = await ask(files, target, options);
    const taken = await files.serve(headOf(target, options), true);
    assertEquals([taken.status, await bytesOf(taken.body)], [answer.status, body], target);
    assertStrictEquals(taken.passed !== undefined, asBytes, `${target} ${JSON.stringify(options)}`);
    assertEquals(writtenLines(taken), writtenLines(answer));
    for (const name of ["content-length", "etag", "cache-control", "date"]) {
      assertStrictEquals(
        taken.passed?.value(name) ?? headerValue(taken.headers, name),
        headerValue(answer.headers, name),
      );
    }
  }
});

/** Lines as they are written, without Content-Length. */
function writtenLines({ headers, passed }: HttpResponse): string {
  const bytes = new Uint8Array(passed?.maxBytes ?? 0);
  let text = String.fromCharCode(...bytes.subarray(0, passed?.put(bytes, 0) ?? 0));
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i] !== "content-length") text += `${headers[i]}: ${headers[i + 1]}\r\n`;
  }
  return text;
}

Deno.test("FileServer.serve() sends the first index file of a folder and redirects to its slash", async () => {
  await using site = await SiteFolder.make({
    "index.html": "root",
    "docs/index.htm": "second",
    "docs/sub/a.txt": "a",
    "a:b ä/index.html": "odd",
  });
  const files = site.serve({ index_files: ["index.html", "index.htm"] });
  assertStrictEquals((await ask(files, "/")).text, "root");
  assertStrictEquals((await ask(files, "/")).header("content-type"), "text/html; charset=UTF-8");
  assertStrictEquals((await ask(files, "/docs/")).text, "second");
  const redirected = await ask(files, "/docs?a=//b&c=%0d");
  assertEquals(redirected.answer, { status: 308, headers: ["location", "/docs/?a=//b&c=%0d"], body: null });
  assertStrictEquals((await ask(files, "/a:b%20%C3%A4")).header("location"), "/a:b%20%C3%A4/");
  assertStrictEquals((await ask(files, "/a:b%20ä")).header("location"), "/a:b%20%C3%A4/");
  for (const path of ["/docs/sub", "/docs/sub/", "/index.html/", "/nothing", "/nothing/", "/docs/index.htm/x"]) {
    assertStrictEquals((await ask(files, path)).status, 404, path);
  }
});

Deno.test("FileServer.serve() never redirects to another host", async () => {
  await using site = await SiteFolder.make({ "example.com/index.html": "x", "a/example.com/index.html": "x" });
  const files = site.serve({ browse: true });
  for (
    const path of ["/\\example.com", "/%2fexample.com", "/%5cexample.com", "/..//example.com", "/a/..//..//example.com"]
  ) {
    const got = await ask(files, path);
    assertStrictEquals(got.header("location"), undefined, path);
  }
  for (
    const path of ["//example.com", "///example.com", "/.//example.com", "/a/..//example.com", "/%2e//example.com"]
  ) {
    const got = await ask(files, path);
    assertStrictEquals(got.header("location"), "/example.com/", path);
  }
  assertStrictEquals((await ask(files, "/example.com")).header("location"), "/example.com/");
});

Deno.test("FileServer.serve() resolves dot segments and repeated slashes, and keeps the query and odd names in redirects", async () => {
  await using site = await SiteFolder.make({
    "app.js": "app",
    "docs/x.txt": "x",
    "docs/index.html": "docs",
    "a?b #c/index.html": "odd",
  });
  const files = site.serve();
  for (let time = 0; time < 2; time++) {
    assertStrictEquals((await ask(files, "/docs/../app.js")).text, "app");
    assertStrictEquals((await ask(files, "/none/%2e%2e/app.js")).text, "app");
    assertStrictEquals((await ask(files, "/docs//x.txt")).text, "x");
    assertStrictEquals((await ask(files, "//docs/./")).text, "docs");
    assertStrictEquals((await ask(files, "/../app.js")).status, 404);
    assertStrictEquals((await ask(files, "/docs?a=//b")).header("location"), "/docs/?a=//b");
    assertStrictEquals((await ask(files, "/a%3Fb%20%23c")).header("location"), "/a%3Fb%20%23c/");
  }
});

Deno.test("FileServer.serve() tries the files of try_files in order", async () => {
  await using site = await SiteFolder.make({
    "index.html": "app",
    "about.html": "about",
    "about.html.html": "odd",
    "assets/a.js": "js",
    "docs/index.html": "docs",
  });
  const app = site.serve({ try_files: ["$path", "$path.html", "$path/", "/index.html"] });
  const expected = {
    "/": "app",
    "/about": "about",
    "/assets/a.js": "js",
    "/docs/": "docs",
    "/assets": "app",
    "/x/y/": "app",
  };
  for (const [path, text] of Object.entries(expected)) {
    for (let time = 0; time < 2; time++) assertStrictEquals((await ask(app, path)).text, text, path);
  }
  assertStrictEquals((await ask(app, "/docs")).status, 308);
  assertStrictEquals((await ask(app, "/x/y/")).header("content-type"), "text/html; charset=UTF-8");
  assertStrictEquals((await ask(app, "/.env")).status, 404);
  const strict = site.serve({ try_files: ["$path", "=410"] });
  assertEquals([(await ask(strict, "/about")).status, (await ask(strict, "/docs")).status], [410, 410]);
  // A page in memory does not overtake a candidate that comes before it.
  const reversed = site.serve({ try_files: ["$path.html", "$path"] });
  assertStrictEquals((await ask(reversed, "/about")).text, "about");
  assertStrictEquals((await ask(reversed, "/about.html")).text, "odd");
});

Deno.test("FileServer.serve() hides dotfiles but for .well-known", async () => {
  await using site = await SiteFolder.make({
    ".env": "x",
    ".git/config": "x",
    "a/.hidden/b": "x",
    ".well-known/security.txt": "ok",
  });
  const files = site.serve();
  for (const path of ["/.env", "/%2eenv", "/.git/config", "/a/.hidden/b", "/.git/"]) {
    assertStrictEquals((await ask(files, path)).status, 404, path);
  }
  assertStrictEquals((await ask(files, "/.well-known/security.txt")).text, "ok");
  assertStrictEquals((await ask(site.serve({ dotfiles: true }), "/.env")).text, "x");
});

Deno.test("FileServer.serve() sends the neighbour in the coding that the client wants most", async () => {
  const big = patternBytes(200_000);
  await using site = await SiteFolder.make({
    "a.js": "plain",
    "a.js.gz": "GZ",
    "big.css": big,
    "big.css.br": "BR",
    "b.txt": "b",
    "d.txt": "d",
    "d.txt.br/x": "a folder is no neighbour",
  });
  await site.write("a.js.br", "BR", new Date(Date.UTC(2025, 0, 1)));
  const files = site.serve();
  const coded = async (path: string, acceptEncoding: string) => {
    const got = await ask(files, path, { headers: ["Accept-Encoding", acceptEncoding] });
    assertStrictEquals(got.header("content-length"), String(got.body.length));
    assertStrictEquals(got.header("vary"), "accept-encoding");
    return `${got.header("content-encoding")} ${got.text.slice(0, 5)}`;
  };
  assertStrictEquals(await coded("/a.js", "gzip, br"), "br BR");
  assertStrictEquals(await coded("/a.js", "gzip, br;q=0"), "gzip GZ");
  assertStrictEquals(await coded("/a.js", "zstd"), "undefined plain");
  assertStrictEquals(await coded("/a.js", "*;q=0.1, br;q=0"), "gzip GZ");
  assertStrictEquals(await coded("/a.js", "identity, *;q=0.5"), "undefined plain");
  assertStrictEquals(await coded("/big.css", "br"), "br BR");
  const tags = new Set<string | undefined>();
  for (const acceptEncoding of ["br", "gzip", "identity"]) {
    const got = await ask(files, "/a.js", { headers: ["accept-encoding", acceptEncoding] });
    assertStrictEquals(got.header("content-type"), "text/javascript; charset=UTF-8");
    tags.add(got.header("etag"));
    const headers = ["accept-encoding", acceptEncoding, "if-none-match", got.header("etag") ?? ""];
    const unchanged = await ask(files, "/a.js", { headers });
    assertEquals([unchanged.status, unchanged.header("vary")], [304, "accept-encoding"]);
  }
  assertStrictEquals(tags.size, 3);
  for (const path of ["/b.txt", "/d.txt"]) {
    assertStrictEquals((await ask(files, path, { headers: ["accept-encoding", "br"] })).header("vary"), undefined);
  }
  assertStrictEquals((await ask(files, "/a.js.gz")).header("content-encoding"), undefined);
  const off = await ask(site.serve({ precompressed: false }), "/a.js", { headers: ["accept-encoding", "br"] });
  assertEquals([off.text, off.header("vary")], ["plain", undefined]);
});

Deno.test("FileServer.serve() responds from memory at once, with lines that are the caller's own", async () => {
  await using site = await SiteFolder.make({ "a.txt": "hello", "index.html": "root" });
  const files = site.serve();
  for (const path of ["/a.txt", "/"]) {
    await ask(files, path);
    const first = files.serve(headOf(path));
    assert(!(first instanceof Promise));
    assertInstanceOf(first.body, Uint8Array);
    first.headers.length = 0;
    const second = files.serve(headOf(path));
    assert(!(second instanceof Promise));
    assert(second.headers.length > 0);
  }
  files.close();
  assertInstanceOf(files.serve(headOf("/a.txt")), Promise);
  assertStrictEquals((await ask(files, "/a.txt")).text, "hello");
});

Deno.test("FileServer.serve() says 403 to what the system forbids to read", async () => {
  await using site = await SiteFolder.make({ "a.txt": "x" });
  await Deno.chmod(`${site.root}/a.txt`, 0);
  const readable = await Deno.readTextFile(`${site.root}/a.txt`).then(() => true, () => false);
  const got = await ask(site.serve(), "/a.txt");
  assertStrictEquals(got.status, readable ? 200 : 403); // root may read everything
  assertStrictEquals((await ask(site.serve(), "/a.txt", { method: "HEAD" })).status, got.status);
});

Deno.test("FileServer.serve() follows a root that is a link to the next release", async () => {
  await using site = await SiteFolder.make({ "one/a.txt": "one", "two/a.txt": "two" });
  let now = Date.now();
  const current = `${site.outside}/current`;
  await Deno.symlink(`${site.root}/one`, current);
  const files = serving(current, { nowMs: () => now });
  assertStrictEquals((await ask(files, "/a.txt")).text, "one");
  await Deno.remove(current);
  await Deno.symlink(`${site.root}/two`, current);
  now += 250;
  assertStrictEquals((await ask(files, "/a.txt")).text, "two");
});

Deno.test("createFileServer() refuses a root that is not absolute and takes one that is not there", async () => {
  assertThrows(() => serving("public"), TypeError, "absolute");
  assertThrows(() => serving(""), TypeError, "absolute");
  const files = serving("/nothing/is/here", { nowMs: undefined, hotCacheBytes: undefined });
  for (const path of ["/", "/a", "/index.html"]) assertStrictEquals((await ask(files, path)).status, 404);
});

Deno.test("FileServer.serve() passes over neighbours that are older than their file, and says so once", async () => {
  const [older, newer] = [new Date(Date.UTC(2024, 0, 1)), new Date(Date.UTC(2024, 0, 2))];
  await using site = await SiteFolder.make();
  await site.write("app.js", "new", newer);
  await site.write("app.js.gz", "OLD", older);
  await site.write("same.js", "new", newer);
  await site.write("same.js.gz", "GZ", newer);
  const told: FileWarning[] = [];
  let now = Date.now();
  const files = site.serve({ onWarning: (warning) => told.push(warning), nowMs: () => now });
  const gzip = { headers: ["accept-encoding", "gzip"] };
  for (let look = 0; look < 3; look++) {
    assertStrictEquals((await ask(files, "/app.js", gzip)).text, "new");
    assertStrictEquals((await ask(files, "/same.js", gzip)).text, "GZ");
    now += 1000;
  }
  assertEquals(told, [{ kind: "stale", path: `${site.root}/app.js.gz` }]);
  await site.write("app.js.gz", "GZ", newer);
  assertStrictEquals((await ask(files, "/app.js", gzip)).text, "GZ");
});

Deno.test({
  name: "FileServer.serve() says of each link that leads out of the folder where it leads, once",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using site = await SiteFolder.make({ "a/b.txt": "b" });
    await Deno.symlink(site.outside, `${site.root}/a/out`);
    await Deno.symlink("../secret.txt", `${site.root}/secret.txt`);
    await Deno.symlink("nowhere", `${site.root}/dangling`);
    const told: FileWarning[] = [];
    const files = site.serve({ onWarning: (warning) => told.push(warning), browse: true });
    for (
      const path of ["/a/out/secret.txt", "/a/out/", "/a/out/none", "/secret.txt", "/dangling", "/a/b.txt", "/", "/a/"]
    ) {
      await ask(files, path);
    }
    await until("both links are told", () => told.length >= 2);
    for (const path of ["/a/out/secret.txt", "/secret.txt"]) await ask(files, path);
    await ask(files, "/a/b.txt");
    assertEquals(told.toSorted((one, other) => one.path < other.path ? -1 : 1), [
      { kind: "outside", path: `${site.root}/a/out`, leadsTo: site.outside },
      { kind: "outside", path: `${site.root}/secret.txt`, leadsTo: `${site.outside}/secret.txt` },
    ]);
  },
});
