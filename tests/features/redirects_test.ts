// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertThrows } from "@std/assert";
import { PathPattern } from "../../lib/features/path_pattern.ts";
import { redirects } from "../../lib/features/redirects/redirects.ts";
import { redirectsSchema } from "../../lib/features/redirects/redirects_schema.ts";
import { createHandler } from "../../lib/process/create_handler.ts";

type Written = { from: string; to: string; status?: number };

/** Status and Location for each URL, or the status alone. */
async function follow(list: Written[], urls: string[]): Promise<string[]> {
  const handler = createHandler({
    sites: [{ redirects: redirectsSchema.parse(list) as never, hostname: "*.example.com" }],
  });
  try {
    const got: string[] = [];
    for (const url of urls) {
      const response = await handler(new Request(url));
      await response.body?.cancel();
      const location = response.headers.get("location");
      got.push(location === null ? String(response.status) : `${response.status} ${location}`);
    }
    return got;
  } finally {
    await handler.close();
  }
}

Deno.test("redirects send to another host with path and query", async () => {
  const list = [{ from: "http://www.example.com/*", to: "https://example.com/{path}" }];
  const urls = ["http://www.example.com/a/b?c=d", "http://www.example.com/", "http://other.example.com/a"];
  assertEquals(await follow(list, urls), [
    "308 https://example.com/a/b?c=d",
    "308 https://example.com/",
    "404",
  ]);
});

Deno.test("redirects take exact paths, prefixes, named parts and expressions, the first that fits", async () => {
  const list = [
    { from: "/old", to: "/new", status: 301 },
    { from: "/blog/:year/:slug", to: "/archive/{slug}?y={year}", status: 302 },
    { from: "/docs/*", to: "https://docs.example.org/{*}", status: 307 },
    { from: "~/p(?<id>[0-9]+)[.]html", to: "/page/{id}" },
    { from: "/old", to: "/never" },
  ];
  const base = "http://a.example.com";
  const paths = [
    "/old?x",
    "/old/",
    "/%6fld",
    "/blog/2024/hello?a=b",
    "/blog/2024/",
    "/docs/a/b?q",
    "/docs",
    "/p12.html",
    "/p.html",
  ];
  assertEquals(await follow(list, paths.map((path) => base + path)), [
    ...[
      "301 /new?x",
      "404",
      "301 /new",
      "302 /archive/hello?y=2024",
      "404",
      "307 https://docs.example.org/a/b?q",
      "404",
    ],
    ...["308 /page/12", "404"],
  ]);
});

Deno.test("redirects never lead to a host that the client chooses", async () => {
  const list = [{ from: "/go/*", to: "/{*}" }, { from: "/all/:a/*", to: "/{*}" }];
  const base = "http://a.example.com";
  assertEquals(await follow(list, [`${base}/go//evil.com`, `${base}/go/%5cevil.com`]), [
    "308 /evil.com",
    "308 /%5Cevil.com",
  ]);
  for (const to of ["https://example.com{*}", "https://{*}/", "//evil.com/", "https://{header.x}/", "evil"]) {
    assertEquals(redirectsSchema.safeParse([{ from: "/*", to }]).success, false, to);
  }
});

Deno.test("redirects leave the challenges of ACME alone", async () => {
  const list = [{ from: "/*", to: "https://example.com/{path}" }];
  assertEquals(await follow(list, ["http://a.example.com/.well-known/acme-challenge/x"]), ["404"]);
});

/** Messages of the check of `list`. */
function faults(list: Written[]): string[] {
  const found: string[] = [];
  const report = { error: (_: unknown, { message }: { message: string }) => found.push(message), warning: () => {} };
  redirects.check(redirectsSchema.parse(list), report);
  return found;
}

Deno.test("redirects that never end are found, and those that do end are not", () => {
  assertEquals(faults([{ from: "/a", to: "/b" }, { from: "/b", to: "/a" }]), [
    "the redirect never ends: /a → /b → /a",
    "the redirect never ends: /b → /a → /b",
  ]);
  assertEquals(faults([{ from: "/a/*", to: "/a/b/{*}" }]), [
    "the redirect never ends: /a/x → /a/b/x → /a/b/b/x → /a/b/b/b/x → …",
  ]);
  assertEquals(faults([{ from: "http://www.example.com/*", to: "https://www.example.com/{path}" }]), []);
  assertEquals(faults([{ from: "https://a.example.com/*", to: "https://a.example.com/{path}" }]).length, 1);
  assertEquals(faults([{ from: "/*", to: "https://www.example.com/{path}" }]), []);
  assertEquals(faults([{ from: "/a", to: "/b" }, { from: "/b", to: "/c" }]), []);
});

Deno.test("redirects with an unknown placeholder are refused", () => {
  assertEquals(faults([{ from: "/a/:b", to: "/{c}" }])[0].startsWith("{c} is not known, only {b}, {path}"), true);
});

Deno.test("PathPattern refuses what it could not match", () => {
  for (const source of ["a", "/a*b", "/:a/:a", "/:a*", "~(", "/%zz"]) {
    assertThrows(() => new PathPattern(source), SyntaxError, undefined, source);
  }
  assertEquals(new PathPattern("/a:b/:c").match("/a:b/x"), { c: "x" });
  assertEquals(new PathPattern("/*").match("/"), { "*": "" });
});
