// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertStringIncludes } from "@std/assert";
import { Log } from "../../lib/log/log.ts";
import { chooseSockets, socketChoice } from "../../lib/process/socket_choice.ts";
import { openEpoll } from "../../lib/sockets/epoll/open_epoll.ts";
import { socketDriver } from "../../lib/sockets/socket_driver.ts";

Deno.test("chooseSockets() chooses the driver that works, and logs which and why", async () => {
  let text = "";
  const log = new Log((bytes) => {
    text += new TextDecoder().decode(bytes);
    return Promise.resolve();
  });
  const choice = await chooseSockets({ sockets: "runtime" }, log);
  assertEquals(choice, { driver: "runtime", reason: "it was asked for", obstacle: undefined });
  assertEquals(socketDriver().name, "runtime");
  await log.flush();
  const { level, message, driver, reason } = JSON.parse(text);
  assertEquals([level, message, driver, reason], ["info", "socket driver chosen", "runtime", "it was asked for"]);
});

Deno.test("socketChoice() says why the driver that is wanted does not work, and takes the next best", async () => {
  const { driver, reason, obstacle } = await socketChoice({ sockets: "uring" });
  if (obstacle === undefined) return assertEquals([driver, reason], ["uring", "it was asked for"]);
  assertEquals(driver, typeof await openEpoll() === "string" ? "runtime" : "epoll");
  assertStringIncludes(reason, `uring does not work here: ${obstacle}`);
});

Deno.test("socketChoice() takes the runtime's driver without --allow-ffi, and says why", async () => {
  const module = new URL("../../lib/process/socket_choice.ts", import.meta.url).href;
  const config = new URL("../../deno.json", import.meta.url).pathname;
  const program = new URL(`data:text/javascript,import { socketChoice } from "${module}";
    for (const sockets of ["auto", "uring"]) console.log(JSON.stringify(await socketChoice({ sockets })));`).href;
  const args = ["run", "--no-prompt", "--allow-read", "--allow-env", "--allow-import", "--config", config, program];
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), { args, env: { BWS_SOCKETS: "auto" } }).output();
  const lines = new TextDecoder().decode(stdout).trim().split("\n");
  assertEquals(lines.length, 2, new TextDecoder().decode(stderr));
  for (const line of lines) {
    const { driver, reason } = JSON.parse(line);
    assertEquals(driver, "runtime");
    assertStringIncludes(reason, Deno.build.os === "linux" ? "it needs --allow-ffi" : "it is for Linux");
  }
});
