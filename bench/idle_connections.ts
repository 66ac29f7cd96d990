/**
 * Connections that do nothing, held open beside a measurement, and what they cost.
 *
 * @module
 */

import type { RequestPlan } from "./load/request_plan.ts";
import { startPinned, stop } from "./pinned_process.ts";
import { processorUs, residentBytes } from "./process_tree.ts";

/** What idle connections cost. */
export interface IdleFigures {
  /** Memory of the proxy before, in bytes. */
  beforeBytes: number;
  /** What it grew by, for each connection. */
  bytesPerConnection: number;
  /** Share of a core that the proxy uses while nothing happens at all, 0 to 1. */
  busy: number;
}

/** How many, where. */
export interface IdleOptions {
  plan: RequestPlan;
  count: number;
  port: number;
  pid?: number;
  loadCores: string;
  folder: string;
}

/** What came of it: what the connections cost, what was measured beside them, and how many the proxy closed. */
export interface IdleOutcome<T> {
  idle?: IdleFigures;
  during: T;
  lost: number;
}

/** Time for a proxy to come to rest, and to be looked at while it rests. */
const REST_MS = 1000;

/**
 * Opens connections, lets each have one answer, and holds them for as long as `measure` takes.
 *
 * @throws {Error} When they cannot all be opened.
 */
export async function withIdle<T>(options: IdleOptions, measure: () => Promise<T>): Promise<IdleOutcome<T>> {
  const { plan, count, port, pid, loadCores, folder } = options;
  const beforeBytes = pid === undefined ? 0 : await residentBytes(pid);
  const planFile = `${folder}/idle.json`;
  const errorFile = `${folder}/idle.log`;
  await Deno.writeTextFile(planFile, JSON.stringify(plan));
  const program = new URL("load/idle_load.ts", import.meta.url).pathname;
  const args = ["run", "-A", program, String(port), String(count), planFile];
  const holder = startPinned(loadCores, Deno.execPath(), args, { pipes: "piped", errorFile });
  const lines = holder.stdout.pipeThrough(new TextDecoderStream()).getReader();
  try {
    const opened = await lines.read();
    if (opened.value?.trim() !== "open") {
      await holder.status;
      const said = (await Deno.readTextFile(errorFile)).trim().split("\n")[0];
      throw new Error(`${count} connections could not be opened: ${said}`);
    }
    const idle = pid === undefined ? undefined : await atRest(pid, beforeBytes, count);
    const during = await measure();
    await holder.stdin.close();
    const lost = Number((await lines.read()).value);
    return { ...(idle === undefined ? {} : { idle }), during, lost };
  } finally {
    await stop(holder);
    await lines.cancel();
  }
}

async function atRest(pid: number, beforeBytes: number, count: number): Promise<IdleFigures> {
  await rest();
  const beforeUs = await processorUs(pid);
  await rest();
  const us = await processorUs(pid) - beforeUs;
  const grownBytes = await residentBytes(pid) - beforeBytes;
  return { beforeBytes, bytesPerConnection: grownBytes / count, busy: us / 1000 / REST_MS };
}

function rest(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, REST_MS));
}
