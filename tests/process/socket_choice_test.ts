// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertStringIncludes } from "@std/assert";
import { Log } from "../../lib/log/log.ts";
import { chooseSockets, socketChoice } from "../../lib/process/socket_choice.ts";
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

Deno.test("socketChoice() says why the driver that is wanted does not work, and takes that of the runtime", async () => {
  const { driver, reason, obstacle } = await socketChoice({ sockets: "uring" });
  if (obstacle === undefined) return assertEquals(driver, "uring");
  assertEquals(driver, "runtime");
  assertStringIncludes(reason, `uring does not work here: ${obstacle}`);
});
