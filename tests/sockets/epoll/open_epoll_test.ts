// @ts-types="../../../types/std/assert.d.ts"
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { openEpoll } from "../../../lib/sockets/epoll/open_epoll.ts";
import { epollWorks } from "../../support/epoll_support.ts";

Deno.test({ name: "openEpoll() gives one driver for each thread", ignore: !epollWorks }, async () => {
  const driver = await openEpoll();
  assert(typeof driver !== "string", String(driver));
  assertEquals(driver.name, "epoll");
  assertStrictEquals(await openEpoll(), driver);
});

Deno.test(
  { name: "openEpoll() says that a permission is missing, and asks for none", permissions: { ffi: false } },
  async () => {
    // A module of its own, as nothing may be opened before.
    const { openEpoll } = await import("../../../lib/sockets/epoll/open_epoll.ts?denied");
    assertEquals(await openEpoll(), Deno.build.os === "linux" ? "it needs --allow-ffi" : "it is for Linux");
  },
);

Deno.test(
  { name: "a driver keeps no process alive, and a socket that listens does", ignore: !epollWorks },
  async () => {
    const module = new URL("../../../lib/sockets/epoll/open_epoll.ts", import.meta.url).href;
    const config = new URL("../../../deno.json", import.meta.url).pathname;
    const run = async (program: string) => {
      const args = ["eval", "--config", config, `import { openEpoll } from "${module}";${program}`];
      const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
      assertEquals([code, new TextDecoder().decode(stderr)], [0, ""]);
      return new TextDecoder().decode(stdout).trim();
    };
    const listen =
      `const d = await openEpoll(); const l = d.listen({ address: "127.0.0.1", port: 0, shared: false }, {`;
    assertEquals(await run(`const d = await openEpoll(); console.log(d.name);`), "epoll");
    assertEquals(await run(`${listen} accepted() {}, failed() {} }); l.close();`), "");
    // It ends because the connection is accepted, and closes both.
    assertEquals(
      await run(`${listen} accepted(s) { console.log("accepted"); s.close(); l.close(); }, failed() {} });
      const s = d.connect({ address: "127.0.0.1", port: l.port }, {
        connected: (s) => s.handler = { received() {}, drained() {}, failed() {}, ended: () => s.close() }, refused() {} });`),
      "accepted",
    );
  },
);
