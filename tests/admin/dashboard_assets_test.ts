// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals, assertFalse, assertMatch } from "@std/assert";
import { DASHBOARD_HEADERS, dashboardAssets } from "../../lib/admin/dashboard/assets.ts";

const PAGE = new URL("../../lib/admin/dashboard/page/", import.meta.url);
const text = (path: string) => new TextDecoder().decode(dashboardAssets().get(path)?.body);

Deno.test("dashboardAssets() has the page at / and every file that it asks for", () => {
  const page = text("/");
  const asked = [...page.matchAll(/(?:src|href)="(dashboard\/[^"]+)"/g)].map(([, path]) => `/${path}`);
  for (const [path] of dashboardAssets()) {
    if (!path.endsWith(".js")) continue;
    asked.push(...[...text(path).matchAll(/from "\.\/([^"]+)"/g)].map(([, name]) => `/dashboard/${name}`));
  }
  assert(asked.length > 20);
  assertEquals(asked.filter((path) => !dashboardAssets().has(path)), []);
});

Deno.test("dashboardAssets() has every file of the folder", () => {
  const files = [...Deno.readDirSync(PAGE)].map(({ name }) => name === "page.html" ? "/" : `/dashboard/${name}`);
  assertEquals(files.filter((path) => !dashboardAssets().has(path)), []);
});

Deno.test("dashboardAssets() has types, bodies, and entity tags that differ", () => {
  const assets = [...dashboardAssets().values()];
  for (const { contentType, body, etag } of assets) {
    assertMatch(contentType, /^(?:text\/(?:html|css|javascript); charset=utf-8|image\/svg\+xml)$/);
    assertMatch(etag, /^"[\w-]{22}"$/);
    assert(body.length > 0);
  }
  assertEquals(new Set(assets.map(({ etag }) => etag)).size, assets.length);
});

Deno.test("The dashboard has nothing inline and nothing from elsewhere, as its policy wants", () => {
  assertMatch(DASHBOARD_HEADERS["content-security-policy"], /^default-src 'self';/);
  assertFalse(/\sstyle=|\son\w+=|<style|<script>|https?:\/\//.test(text("/")));
  for (const [path] of dashboardAssets()) {
    if (path.endsWith(".css")) assertFalse(/@import|url\(/.test(text(path)), path);
  }
});

Deno.test("The dashboard's scripts hold to the types of the snapshot", async () => {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["check", "--quiet", "--config", new URL("dashboard_types.json", import.meta.url).pathname],
      ...[new URL("main.js", PAGE).pathname, new URL("dashboard_probes.js", import.meta.url).pathname],
    ],
    env: { NO_COLOR: "1" },
  }).output();
  assert(success, new TextDecoder().decode(stderr));
});
