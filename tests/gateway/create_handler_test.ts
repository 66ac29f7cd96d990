// @ts-types="../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { resolveConfig } from "../../lib/config/resolve_config.ts";
import { respond } from "../../lib/gateway/adapter.ts";
import { createHandler } from "../../lib/gateway/create_handler.ts";
import { Gateway } from "../../lib/gateway/gateway.ts";
import { Log } from "../../lib/log/log.ts";

function proxyTo(url: string) {
  return { sites: [{ proxy: { upstreams: [{ name: "u", url }], routes: [{ path: "/", upstream: "u" }] } }] };
}

Deno.test("createHandler() says nothing of a client whose address it was not told", async () => {
  const upstream = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => new Response([...request.headers.keys()].join(" ")),
  );
  const handler = createHandler(proxyTo(`http://127.0.0.1:${upstream.addr.port}`));
  const names = (await (await handler(new Request("http://localhost/"))).text()).split(" ");
  assertEquals(names.filter((name) => name === "x-forwarded-for" || name === "x-real-ip"), []);
  assertEquals(names.includes("x-forwarded-proto"), true);
  await handler.close();
  await upstream.shutdown();
});

Deno.test("a failure has its line in the log even where requests have none", async () => {
  const taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr as Deno.NetAddr;
  taken.close();
  for (const logging of [{ access: false }, { level: "warn" as const }]) {
    let text = "";
    const log = new Log((bytes) => {
      text += new TextDecoder().decode(bytes);
      return Promise.resolve();
    }, logging);
    const { config } = resolveConfig({ logging, ...proxyTo(`http://127.0.0.1:${port}`) });
    const gateway = new Gateway(config, { log });
    const entry = { sites: gateway.anywhere };
    const failed = await respond(gateway, new Request("http://localhost/a"), undefined, entry);
    const fine = await respond(gateway, new Request("http://localhost/api/health"), undefined, entry);
    await log.flush();
    assertEquals([failed.status, fine.status], [502, 200]);
    const lines = text.trimEnd().split("\n").map((line) => JSON.parse(line));
    assertEquals(lines.map(({ level, status, path }) => [level, status, path]), [["error", 502, "/a"]]);
    gateway.close();
  }
});
