// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertStringIncludes } from "@std/assert";
import { openFileShortfall } from "../../lib/cli/open_file_limit.ts";
import { openFileLimit } from "../../lib/process/open_files.ts";
import { resolveConfig } from "../../lib/generation/config/resolve_config.ts";

function configWith(maxConnections: number) {
  const upstreams = [1, 2].map((port) => ({
    name: "app",
    url: `http://127.0.0.1:${port}`,
    max_connections: maxConnections,
  }));
  return resolveConfig({ sites: [{ port: 8080, proxy: { upstreams, routes: [{ path: "/", upstream: "app" }] } }] })
    .config;
}

Deno.test("A limit of open files is low when it is less than twice the connections that a config allows", () => {
  assertEquals(openFileShortfall(configWith(1000), 4000), undefined);
  assertStringIncludes(
    openFileShortfall(configWith(1000), 3999) ?? "",
    "fewer than the 4000 that 2000 connections take",
  );
});

Deno.test("A limit of open files below a thousand is low for any config", () => {
  assertEquals(openFileShortfall(configWith(0), 1000), undefined);
  assertStringIncludes(openFileShortfall(configWith(0), 256) ?? "", "at most 256 files and sockets");
});

Deno.test({
  name: "The limit of open files is that of this process",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    const { stdout } = await new Deno.Command("sh", { args: ["-c", "ulimit -n"], stdout: "piped" }).output();
    assertEquals(openFileLimit(), Number(new TextDecoder().decode(stdout)));
  },
});
