// @ts-types="../../../types/std/assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import process from "node:process";
import { promiseSettler } from "../../../lib/sockets/linux/settle_promises.ts";

Deno.test("promiseSettler() settles promises and callbacks of nextTick that each other have caused, before it returns", async () => {
  const settle = promiseSettler();
  assert(settle !== undefined);
  const order: string[] = [];
  await new Promise<void>((resolve) => {
    setTimeout(() => {
      (async () => {
        for (let i = 0; i < 10; i++) await undefined;
        order.push("promise");
        process.nextTick(() => {
          order.push("tick");
          queueMicrotask(() => order.push("microtask"));
        });
      })();
      settle();
      order.push("settled");
      resolve();
    }, 0);
  });
  assertEquals(order, ["promise", "tick", "microtask", "settled"]);
});
