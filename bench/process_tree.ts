/**
 * A process with all that it started: their processor time and memory.
 *
 * @module
 */

import { processUs } from "./processor_clock.ts";

const PAGE_BYTES = 4096;

/** The ids of a process and of its descendants. */
export async function treeOf(pid: number): Promise<number[]> {
  const parents = new Map<number, number>();
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const fields = await statFields(Number(name));
    if (fields !== undefined) parents.set(Number(name), Number(fields[1]));
  }
  const tree = [pid];
  // The list grows while it is walked.
  for (const member of tree) {
    for (const [child, parent] of parents) if (parent === member) tree.push(child);
  }
  return tree;
}

/** Processor time of a process and its descendants, user and system, in microseconds. */
export async function processorUs(pid: number): Promise<number> {
  let us = 0;
  for (const member of await treeOf(pid)) us += processUs(member);
  return us;
}

/** Memory of a process and its descendants that is in RAM, in bytes. Pages that they share count for each. */
export async function residentBytes(pid: number): Promise<number> {
  let pages = 0;
  for (const member of await treeOf(pid)) {
    pages += Number((await Deno.readTextFile(`/proc/${member}/statm`)).split(" ")[1]);
  }
  return pages * PAGE_BYTES;
}

/** What follows the name in `/proc/PID/stat`; nothing when the process is gone. */
async function statFields(pid: number): Promise<string[] | undefined> {
  try {
    const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  } catch {
    return undefined;
  }
}
