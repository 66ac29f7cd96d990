// @ts-types="../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import type { PortStatus } from "../../lib/listener/port.ts";
import { WorkerPorts } from "../../lib/process/worker_ports.ts";

const OPEN: PortStatus = {
  ...{ address: "::", port: 8080, listener: "runtime", open: true },
  ...{ closedAtMs: null, failingAtMs: null, reason: null, reopenings: 0 },
};
const ADDRESS: Deno.NetAddr = { transport: "tcp", hostname: "::", port: 8080 };

function closed(closedAtMs: number, reason: string, reopenings = 0): PortStatus {
  return { ...OPEN, open: false, closedAtMs, reason, reopenings };
}

Deno.test("A port that closes in several workers is one change, and another when it is open in all of them", () => {
  const changes: boolean[] = [];
  const ports = new WorkerPorts("runtime", ({ open }) => changes.push(open));
  ports.change(0, "a", closed(1000, "first"));
  ports.change(1, "a", closed(900, "second"));
  assertEquals(ports.status("a", ADDRESS), closed(900, "second"));
  ports.change(1, "a", { ...OPEN, reopenings: 1 });
  assertEquals(changes, [false]);
  ports.change(0, "a", { ...OPEN, reopenings: 2 });
  assertEquals(changes, [false, true]);
  assertEquals(ports.status("a", ADDRESS), { ...OPEN, reopenings: 3 });
});

Deno.test("A port that was closed in a worker that ended is open again", () => {
  const changes: boolean[] = [];
  const ports = new WorkerPorts("runtime", ({ open }) => changes.push(open));
  ports.change(1, "a", closed(1000, "first"));
  ports.forget(0);
  assertEquals(changes, [false]);
  ports.forget(1);
  assertEquals(changes, [false, true]);
});

Deno.test("A port that no config has any more is forgotten", () => {
  const ports = new WorkerPorts("runtime", () => {});
  ports.change(1, "a", closed(1000, "first"));
  ports.retain(new Set(["b"]));
  assertEquals(ports.status("a", ADDRESS), OPEN);
});
