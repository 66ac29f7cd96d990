// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals, assertLess } from "@std/assert";
import { TunnelBudget } from "../../../lib/handlers/websocket/tunnel_budget.ts";

const MIB = 1024 * 1024;

Deno.test("TunnelBudget allows a direction what max_buffered says, and at most 256 KiB", () => {
  const budget = new TunnelBudget(64 * MIB);
  assertEquals([budget.allowance(1000), budget.allowance(64 * MIB)], [1000, 256 * 1024]);
});

Deno.test("TunnelBudget holds any number of senders that fill their queues below its bound", () => {
  const budget = new TunnelBudget(8 * MIB);
  for (let i = 0; i < 10_000; i++) budget.change(0, Math.floor(budget.allowance(4 * MIB)));
  assertLess(budget.queuedBytes, 8 * MIB + 1);
  budget.change(budget.queuedBytes, 0);
  assertEquals(budget.allowance(4 * MIB), 256 * 1024);
});

Deno.test("TunnelBudget allows nothing once it is used up", () => {
  const budget = new TunnelBudget(MIB);
  budget.change(0, 2 * MIB);
  assertEquals(budget.allowance(4 * MIB), 0);
});
