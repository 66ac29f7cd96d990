/**
 * A process with all that it started: their processor time and memory, from `/proc`.
 *
 * @module
 */

/** A tick of `/proc`, in microseconds. */
export const TICK_US = 10_000;
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

/** User and system time of a process and its descendants, in ticks of 10 ms. */
export async function processorTicks(pid: number): Promise<number> {
  let ticks = 0;
  for (const member of await treeOf(pid)) {
    const fields = await statFields(member);
    if (fields !== undefined) ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks;
}

/** Processor time of a process and its descendants, user and system, in microseconds. */
export async function processorUs(pid: number): Promise<number> {
  let us = 0;
  for (const member of await treeOf(pid)) us += await memberUs(member);
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

/**
 * Of one process. The times of its threads are exact, but lack those that have ended; the time of the process has them, in
 * ticks.
 */
async function memberUs(pid: number): Promise<number> {
  const fields = await statFields(pid);
  if (fields === undefined) return 0;
  let threadsNs = 0;
  try {
    for await (const { name } of Deno.readDir(`/proc/${pid}/task`)) {
      const schedstat = await Deno.readTextFile(`/proc/${pid}/task/${name}/schedstat`);
      threadsNs += Number(schedstat.split(" ")[0]);
    }
  } catch {
    // A thread has ended meanwhile, or the kernel does not tell.
  }
  return Math.max(threadsNs / 1000, (Number(fields[11]) + Number(fields[12])) * TICK_US);
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
