// @ts-types="../../../types/std/assert.d.ts"
import { assert, assertEquals, assertNotEquals, assertStrictEquals } from "@std/assert";
import { seededRandom } from "../../contract/seeded_random.ts";
import { ask, openFiles, SECRET, SiteFolder } from "./site_folder.ts";

const POSIX = Deno.build.os !== "windows";

/** Ways to write `..`, `/` and a name that have been read wrongly somewhere. */
const UPS = [
  ...[
    "..",
    "%2e%2e",
    "%2E%2e",
    ".%2e",
    "%2e.",
    "%252e%252e",
    "%25252e%25252e",
    "..%00",
    "..%20",
    "..;",
    "...",
    "....",
    ". .",
  ],
  ...[
    "%c0%ae%c0%ae",
    "%e0%80%ae%e0%80%ae",
    "%u002e%u002e",
    "．．",
    "%ef%bc%8e%ef%bc%8e",
    "..%0a",
    "%2e%2e%09",
    ".%00.",
    "",
  ],
];
const SLASHES = ["/", "%2f", "%2F", "\\", "%5c", "%5C", "%252f", "%c0%af", "//", "/./", "∕", "%ef%bc%8f", "%00/"];
const FIXED = [
  ...["/secret.txt", "//secret.txt", "/../secret.txt", "/root/../../secret.txt", "/../root/../secret.txt"],
  ...["/a/../../secret.txt", "/a.txt/../../secret.txt", "/a/..%2f..%2fsecret.txt", "/C:/secret.txt", "/c$/secret.txt"],
  ...[
    "/a.txt::$DATA",
    "/\\\\?\\C:\\secret.txt",
    "/file:///etc/passwd",
    "/etc/passwd",
    "//etc/passwd",
    "/%2fetc%2fpasswd",
  ],
  ...["/proc/self/environ", "/%00", "/a.txt%00.jpg", "/con", "/aux.txt", "/~root/x", "/%", "/%2", "/%zz", "/a%ff"],
];
const HOSTILE = [
  ...FIXED,
  ...UPS.flatMap((up) =>
    SLASHES.flatMap((slash) => [`/${up}${slash}secret.txt`, `/a/${up}${slash}${up}${slash}secret.txt`])
  ),
];

Deno.test(`none of ${HOSTILE.length} hostile paths leads out of the folder`, async () => {
  assert(HOSTILE.length >= 60);
  await using site = await SiteFolder.make({ "a/b.txt": "inside", "a.txt": "inside" });
  for (const options of [{}, { dotfiles: true, browse: true }, { follow_symlinks: true, dotfiles: true }]) {
    const files = site.serve(options);
    for (const path of HOSTILE) {
      const { status, text } = await ask(files, path);
      assert(!text.includes(SECRET) && !text.includes("root:"), path);
      assert(status === 400 || status === 404, `${path} gave ${status}`);
    }
  }
});

Deno.test("a name that holds percent signs is found under its own name, decoded once", async () => {
  await using site = await SiteFolder.make({ "%2e%2e/secret.txt": "literal", "100%.txt": "all" });
  const files = site.serve();
  for (let time = 0; time < 2; time++) {
    assertStrictEquals((await ask(files, "/%252e%252e/secret.txt")).text, "literal");
    assertStrictEquals((await ask(files, "/100%25.txt")).text, "all");
    assertStrictEquals((await ask(files, "/%2e%2e/secret.txt")).status, 404);
    assertStrictEquals((await ask(files, "/100%.txt")).status, 400);
  }
});

Deno.test({
  name: "links are followed inside the folder and never out of it",
  ignore: !POSIX,
  async fn() {
    await using site = await SiteFolder.make({ "real/a.txt": "inside", "plain.txt": "plain" });
    const { root, outside } = site;
    await Deno.mkdir(`${outside}/rooted`);
    await Deno.writeTextFile(`${outside}/rooted/x.txt`, SECRET);
    await Deno.writeTextFile(`${outside}/rooted/index.html`, SECRET);
    await Deno.symlink("real", `${root}/inner`);
    await Deno.symlink("real/a.txt", `${root}/inner.txt`);
    await Deno.symlink("../secret.txt", `${root}/relative.txt`);
    await Deno.symlink(`${outside}/secret.txt`, `${root}/absolute.txt`);
    await Deno.symlink(outside, `${root}/folder`);
    // Its path begins with the root's path, but is not below it.
    await Deno.symlink(`${outside}/rooted`, `${root}/sibling`);
    await Deno.symlink("folder", `${root}/chain`);
    await Deno.symlink("loop", `${root}/loop`);
    await Deno.symlink("nothing", `${root}/dangling`);
    await Deno.symlink(`${outside}/secret.txt`, `${root}/plain.txt.gz`);
    const files = site.serve({ browse: true });
    assertStrictEquals((await ask(files, "/inner/a.txt")).text, "inside");
    assertStrictEquals((await ask(files, "/inner.txt")).text, "inside");
    const outward = [
      ...["/relative.txt", "/absolute.txt", "/folder", "/folder/", "/folder/secret.txt", "/folder/root/plain.txt.gz"],
      ...["/sibling", "/sibling/", "/sibling/x.txt", "/chain/secret.txt", "/loop", "/loop/x", "/dangling"],
    ];
    for (const path of outward) {
      assertEquals((await ask(files, path)).answer, { status: 404, headers: [], body: null }, path);
    }
    // Back inside by way of outside: what counts is where it ends.
    assertStrictEquals((await ask(files, "/folder/root/plain.txt")).text, "plain");
    const plain = await ask(files, "/plain.txt", { headers: ["accept-encoding", "gzip"] });
    assertEquals([plain.text, plain.header("content-encoding")], ["plain", undefined]);
    const listed = (await ask(files, "/")).text;
    for (const name of ["relative.txt", "absolute.txt", "sibling", "chain", "loop", "dangling", "folder"]) {
      assert(!listed.includes(`>${name}<`), name);
    }
    assert(listed.includes(">inner.txt<"));
    const following = site.serve({ follow_symlinks: true });
    assertStrictEquals((await ask(following, "/folder/secret.txt")).text, SECRET);
    assertStrictEquals((await ask(following, "/loop")).status, 404);
  },
});

Deno.test({
  name: "a page in memory does not outlive the moment in which its file becomes a link outward",
  ignore: !POSIX,
  async fn() {
    await using site = await SiteFolder.make({ "a.txt": "inside", "f/a.txt": "inside" });
    let now = Date.now();
    const files = site.serve({ nowMs: () => now });
    for (const path of ["/a.txt", "/f/a.txt"]) assertStrictEquals((await ask(files, path)).text, "inside");
    await Deno.remove(`${site.root}/a.txt`);
    await Deno.symlink("../secret.txt", `${site.root}/a.txt`);
    await Deno.rename(`${site.root}/f`, `${site.root}/g`);
    await Deno.writeTextFile(`${site.outside}/a.txt`, SECRET);
    await Deno.symlink("..", `${site.root}/f`);
    for (const path of ["/a.txt", "/f/a.txt"]) assertNotEquals((await ask(files, path)).text, SECRET);
    now += 250;
    for (const path of ["/a.txt", "/f/a.txt"]) assertStrictEquals((await ask(files, path)).status, 404);
  },
});

Deno.test({
  name: "FIFOs, sockets and devices are not there, and are never opened",
  ignore: !POSIX,
  async fn() {
    await using site = await SiteFolder.make({ "a.txt": "x" });
    const made = await new Deno.Command("mkfifo", { args: [`${site.root}/fifo`, `${site.root}/a.txt.gz`] }).output();
    assert(made.success);
    using _socket = Deno.listen({ transport: "unix", path: `${site.root}/socket` });
    await Deno.symlink("/dev/zero", `${site.root}/zero`);
    await Deno.symlink("/dev", `${site.root}/dev`);
    for (const options of [{ browse: true }, { browse: true, follow_symlinks: true, index_files: ["fifo", "zero"] }]) {
      const files = site.serve(options);
      for (const path of ["/fifo", "/fifo/", "/socket", "/zero", "/dev/zero"]) {
        assertStrictEquals((await ask(files, path)).status, 404, path);
      }
      assertStrictEquals((await ask(files, "/a.txt", { headers: ["accept-encoding", "gzip"] })).text, "x");
      const listed = (await ask(files, "/")).text;
      assert(!listed.includes("fifo") && !listed.includes("socket") && !listed.includes("zero"));
    }
    // With a page in memory, too: what lies there now decides, also within 250 ms.
    const files = site.serve({ hotFileMaxBytes: 0 });
    await ask(files, "/a.txt", { method: "HEAD" });
    await Deno.rename(`${site.root}/fifo`, `${site.root}/a.txt`);
    assertStrictEquals((await ask(files, "/a.txt")).status, 404);
  },
});

Deno.test("random paths read nothing that lies outside, throw nothing and leave no file open", async () => {
  await using site = await SiteFolder.make({ "a/b.txt": "inside", "a/index.html": "inside", "c.txt": "inside" });
  if (POSIX) await Deno.symlink("..", `${site.root}/up`);
  const inside = new Set(["", "inside"]);
  const pieces = [
    ...[
      "/",
      "/",
      "/",
      "..",
      ".",
      "a",
      "b.txt",
      "c.txt",
      "secret.txt",
      "up",
      "root",
      "index.html",
      "%2e",
      "%2f",
      "%5c",
      "\\",
    ],
    ...["%00", "%", "%c0%af", "%25", "2e", "~", ":", " ", "é", "\ud800", "\n", "?", "*", "CON", "::$DATA", "%ff", ";"],
  ];
  const random = seededRandom(42);
  const files = site.serve({ dotfiles: true });
  const seen = new Map<number, number>();
  for (let round = 0; round < 3000; round++) {
    let path = "/";
    for (let i = Math.floor(random() * 8); i > 0; i--) path += pieces[Math.floor(random() * pieces.length)];
    const { status, text } = await ask(files, path.replaceAll("?", ""));
    assert(inside.has(text), `${path} gave ${text}`);
    seen.set(status, (seen.get(status) ?? 0) + 1);
  }
  assertEquals([...seen.keys()].toSorted(), [200, 308, 400, 404]);
  assertStrictEquals(openFiles(site), 0);
});
