// @ts-types="../../../types/std/assert.d.ts"
import { assert, assertEquals, assertMatch, assertStrictEquals, assertStringIncludes } from "@std/assert";
import type { FileServer } from "../../../lib/handlers/files/file_server.ts";
import { ask, SiteFolder } from "./site_folder.ts";

const ODD = `<b>"x'&y #1?%.txt`;

Deno.test({
  name: "a listing shows folders and files in order, escaped, with links that lead to them",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using site = await SiteFolder.make({
      "docs/a10.txt": "x",
      "docs/a9.txt": "x".repeat(2048),
      [`docs/${ODD}`]: "odd",
      "docs/sub/x": "",
      "docs/.hidden": "",
      "docs/back\\slash": "",
      "docs/new\nline": "",
    });
    const files = site.serve({ browse: true, fileLines: () => ["cache-control", "no-store"] });
    assertStrictEquals((await ask(files, "/docs")).header("location"), "/docs/");
    const got = await ask(files, "/docs/");
    assertEquals([got.status, got.header("content-type")], [200, "text/html; charset=UTF-8"]);
    assertStrictEquals(got.header("content-length"), String(got.body.length));
    assertEquals([got.header("vary"), got.header("cache-control")], ["accept", "no-store"]);
    assertStringIncludes(got.header("content-security-policy") ?? "", "default-src 'none'");
    const links = [...got.text.split("<tbody>")[1].matchAll(/href="([^"]*)"/g)].map((match) => match[1]);
    assertEquals(
      links.toSorted(),
      ["../", "./sub/", `./${encodeURIComponent(ODD)}`, "./a9.txt", "./a10.txt"].toSorted(),
    );
    assert(links.indexOf("./sub/") === 1 && links.indexOf("./a9.txt") < links.indexOf("./a10.txt"));
    assert(!got.text.includes("<b>"));
    assertStringIncludes(got.text, "&lt;b&gt;&quot;x&#39;&amp;y #1?%.txt");
    assertMatch(got.text, /2\.0 KiB<td>2024-01-02 03:04/);
    for (const link of links.slice(1)) {
      assertStrictEquals((await ask(files, `/docs/${link.slice(2)}`)).status, 200, link);
    }
    assert(!(await ask(files, "/")).text.includes("../"));
    const head = await ask(files, "/docs/", { method: "HEAD" });
    assertEquals(head.answer, { ...got.answer, body: null });
  },
});

Deno.test("a listing is JSON for those who ask for it", async () => {
  await using site = await SiteFolder.make({ "sub/x": "", "a.txt": "abc" });
  const files = site.serve({ browse: true });
  const accept = async (value: string) => {
    const got = await ask(files, "/", { headers: ["Accept", value] });
    return got.header("content-type")?.startsWith("application/json") ? JSON.parse(got.text) : "page";
  };
  const [folder, file] = await accept("application/json, text/plain, */*");
  assertEquals([folder.name, folder.type, folder.size], ["sub", "folder", null]);
  assertEquals(file, { name: "a.txt", type: "file", size: 3, modified: "2024-01-02T03:04:05.678Z" });
  assertStrictEquals((await accept("text/html;q=0.5, application/json")).length, 2);
  for (const value of ["", "*/*", "text/html", "text/html, application/json", "application/json;q=0", "\xff;q"]) {
    assertStrictEquals(await accept(value), "page", value);
  }
});

Deno.test("a folder is listed only on demand, and its index file comes before its listing", async () => {
  await using site = await SiteFolder.make({ "a/x.txt": "", "b/index.html": "index" });
  assertStrictEquals((await ask(site.serve(), "/a/")).status, 404);
  assertStrictEquals((await ask(site.serve(), "/a")).status, 404);
  const files = site.serve({ browse: true });
  assertStrictEquals((await ask(files, "/b/")).text, "index");
  assertStringIncludes((await ask(files, "/a/")).text, "Index of /a/");
});

/** Names in a listing, as JSON gives them, and as the page links to them. */
async function namesOf(files: FileServer, query: string): Promise<string[]> {
  const got = await ask(files, `/d/${query}`, { headers: ["Accept", "application/json"] });
  const names = JSON.parse(got.text).map(({ name }: { name: string }) => name);
  const page = (await ask(files, `/d/${query}`)).text.split("<tbody>")[1];
  const links = [...page.matchAll(/href="\.\/([^"/?]+)[/?"]/g)].map((match) => decodeURIComponent(match[1]));
  assertEquals(links, names, query);
  return names;
}

Deno.test("a listing is sorted and searched by its query, folders first, on the page as in JSON", async () => {
  await using site = await SiteFolder.make({ "d/sub/x": "", "d/Azur/x": "" });
  await site.write("d/a9.txt", "xx", new Date("2024-03-01"));
  await site.write("d/a10.txt", "xxx", new Date("2024-01-01"));
  await site.write("d/B.md", "x", new Date("2024-02-01"));
  const files = site.serve({ browse: true });
  const cases: readonly (readonly [string, string])[] = [
    ["", "Azur sub a9.txt a10.txt B.md"],
    ["?order=desc", "sub Azur B.md a10.txt a9.txt"],
    ["?sort=size", "Azur sub B.md a9.txt a10.txt"],
    ["?sort=size&order=desc", "Azur sub a10.txt a9.txt B.md"],
    ["?q=A", "Azur a9.txt a10.txt"],
    ["?q=.TXT&sort=time", "a10.txt a9.txt"],
    ["?q=none", ""],
    ["?sort=__proto__&order=up&q=", "Azur sub a9.txt a10.txt B.md"],
  ];
  for (const [query, names] of cases) {
    assertEquals(await namesOf(files, query), names.split(" ").filter(Boolean), query);
  }
  assertEquals((await namesOf(files, "?sort=time")).slice(2), ["a10.txt", "B.md", "a9.txt"]);
  const page = (await ask(files, "/d/?sort=size&q=a")).text;
  assertStringIncludes(page, '<a href="?sort=size&amp;order=desc&amp;q=a">Size</a>');
  assertStringIncludes(page, '<a href="./sub/?sort=size">'.replace("sub", "Azur"));
  assertStringIncludes(page, '<a href="../?sort=size">../</a>');
  assertStringIncludes(page, 'name="q" value="a"');
  assertStringIncludes(page, "<p>3 of 5.");
});

Deno.test("a listing escapes what a visitor searches for, and has no scripts", async () => {
  await using site = await SiteFolder.make({ "d/a": "" });
  const files = site.serve({ browse: true });
  const hostile = `"><script>alert(1)</script>&'`;
  const got = await ask(files, `/d/?q=${encodeURIComponent(hostile)}&sort=size&order=desc`);
  assert(!got.text.includes("<script>") && !got.text.includes(`"><s`));
  assertStringIncludes(got.text, 'value="&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;&#39;"');
  assertEquals((await ask(files, "/d/?q=%ff%00%zz&q")).status, 200);
  assertEquals((await ask(files, `/d/?q=${"x".repeat(10_000)}`)).status, 200);
});

Deno.test("a listing leads to the folders above it", async () => {
  await using site = await SiteFolder.make({ "a b/c&d/x": "" });
  const page = (await ask(site.serve({ browse: true }), "/a%20b/c&d/")).text;
  assertStringIncludes(page, '<a href="../../"><bdi>/</bdi></a><a href="../"><bdi>a b</bdi></a>/<bdi>c&amp;d</bdi>/');
});
