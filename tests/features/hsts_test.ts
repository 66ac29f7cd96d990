// @ts-types="../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { createHandler } from "../../lib/process/create_handler.ts";
import type { ConfigInput } from "../../lib/generation/config/config_types.ts";

async function sent(site: Partial<ConfigInput["sites"][number]>, url: string): Promise<string | null> {
  const handler = createHandler({ sites: [{ static_dir: Deno.cwd(), ...site }] });
  try {
    const response = await handler(new Request(url));
    await response.body?.cancel();
    return response.headers.get("strict-transport-security");
  } finally {
    await handler.close();
  }
}

Deno.test("hsts sends Strict-Transport-Security over https alone, on errors too", async () => {
  assertEquals(await sent({ hsts: true }, "https://a.test/"), "max-age=31536000");
  assertEquals(await sent({ hsts: true }, "https://a.test/nowhere"), "max-age=31536000");
  assertEquals(await sent({ hsts: true }, "http://a.test/"), null);
  assertEquals(await sent({ hsts: false }, "https://a.test/"), null);
  assertEquals(await sent({}, "https://a.test/"), null);
});

Deno.test("hsts has max_age, include_subdomains and preload, and comes before [sites.headers]", async () => {
  const hsts = { max_age: "400d", include_subdomains: true, preload: true };
  const headers = { "Strict-Transport-Security": "max-age=1" };
  assertEquals(await sent({ hsts, headers }, "https://a.test/"), "max-age=34560000; includeSubDomains; preload");
  assertEquals(await sent({ hsts: { max_age: 0 } }, "https://a.test/"), "max-age=0");
});
