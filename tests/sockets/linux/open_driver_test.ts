// @ts-types="../../../types/std/assert.d.ts"
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { openEpoll } from "../../../lib/sockets/epoll/open_epoll.ts";
import type { SocketDriver } from "../../../lib/sockets/socket.ts";
import { openUring } from "../../../lib/sockets/uring/open_uring.ts";
import { epollWorks } from "../../support/epoll_support.ts";
import { uringWorks } from "../../support/uring_support.ts";

type Open = () => Promise<SocketDriver | string>;

const DRIVERS: readonly [name: string, open: Open, works: boolean, module: string][] = [
  ["epoll", openEpoll, epollWorks, "epoll/open_epoll.ts"],
  ["uring", openUring, uringWorks, "uring/open_uring.ts"],
];

for (const [name, open, works, path] of DRIVERS) {
  const module = new URL(`../../../lib/sockets/${path}`, import.meta.url).href;
  const { name: functionName } = open;

  Deno.test({ name: `${functionName}() gives one driver for each thread`, ignore: !works }, async () => {
    const driver = await open();
    assert(typeof driver !== "string", String(driver));
    assertEquals(driver.name, name);
    assertStrictEquals(await open(), driver);
  });

  Deno.test(
    { name: `${functionName}() says that a permission is missing, and asks for none`, permissions: { ffi: false } },
    async () => {
      // A module of its own, as nothing may be opened before.
      const { [functionName]: openDenied } = await import(`${module}?denied`) as Record<string, Open>;
      assertEquals(await openDenied(), Deno.build.os === "linux" ? "it needs --allow-ffi" : "it is for Linux");
    },
  );

  Deno.test({ name: `${name} keeps no process alive, and a socket that listens does`, ignore: !works }, async () => {
    const config = new URL("../../../deno.json", import.meta.url).pathname;
    const run = async (program: string) => {
      const args = ["eval", "--config", config, `import { ${functionName} as open } from "${module}";${program}`];
      const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
      assertEquals([code, new TextDecoder().decode(stderr)], [0, ""]);
      return new TextDecoder().decode(stdout).trim();
    };
    const listen = `const d = await open(); const l = d.listen({ address: "127.0.0.1", port: 0, shared: false }, {`;
    assertEquals(await run(`const d = await open(); console.log(d.name);`), name);
    assertEquals(await run(`${listen} accepted() {}, failed() {} }); l.close();`), "");
    // It ends because the connection is accepted, and closes both.
    assertEquals(
      await run(`${listen} accepted(s) { console.log("accepted"); s.close(); l.close(); }, failed() {} });
      const s = d.connect({ address: "127.0.0.1", port: l.port }, {
        connected: (s) => s.handler = { received() {}, drained() {}, failed() {}, ended: () => s.close() }, refused() {} });`),
      "accepted",
    );
  });
}

Deno.test("a driver that the system forbids says so", { ignore: !uringWorks }, async () => {
  // Few handles, so that none is left for a ring.
  const config = new URL("../../../deno.json", import.meta.url).pathname;
  const module = new URL("../../../lib/sockets/uring/open_uring.ts", import.meta.url).href;
  const program = `import { openUring } from "${module}";
    const files = []; try { for (;;) files.push(Deno.openSync("/dev/null")); } catch {}
    console.log(await openUring()); Deno.exit();`;
  const args = ["-c", `ulimit -n 64; exec "$@"`, "sh", Deno.execPath(), "eval", "--config", config, program];
  const { stdout } = await new Deno.Command("sh", { args }).output();
  assertEquals(new TextDecoder().decode(stdout).trim(), "the system allows no io_uring: EMFILE");
});
