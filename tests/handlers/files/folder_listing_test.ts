// @ts-types="../../../types/std/assert.d.ts"
import { assert, assertEquals, assertMatch, assertStrictEquals, assertStringIncludes } from "@std/assert";
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
    const links = [...got.text.matchAll(/href="([^"]*)"/g)].map((match) => match[1]);
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
