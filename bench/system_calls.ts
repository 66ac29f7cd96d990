/**
 * How often a process calls the system, by strace.
 *
 * @module
 */

import { startPinned } from "./pinned_process.ts";

/** A system call. */
export interface SystemCall {
  name: string;
  calls: number;
  /** How many of them failed, with "try again" too. */
  errors: number;
}

/** Time that strace needs to take hold of all threads. */
const ATTACH_MS = 500;

/**
 * Counts the system calls that a process and its threads make while `work` runs.
 *
 * @throws {Error} When strace may not look at the process.
 */
export async function systemCalls(
  pid: number,
  { cores, folder }: { cores: string; folder: string },
  work: () => Promise<void>,
): Promise<SystemCall[]> {
  const file = `${folder}/strace.txt`;
  const errorFile = `${folder}/strace.log`;
  const tracer = startPinned(cores, "strace", ["-c", "-f", "-p", String(pid), "-o", file], { errorFile });
  await new Promise((resolve) => setTimeout(resolve, ATTACH_MS));
  await work();
  try {
    tracer.kill("SIGINT");
  } catch {
    // It is gone already: what it said tells why.
  }
  await tracer.status;
  const text = await Deno.readTextFile(file).catch(() => "");
  const calls = text.split("\n").flatMap((line) => systemCall(line) ?? []);
  if (calls.length === 0) throw new Error(`strace: ${(await Deno.readTextFile(errorFile)).trim()}`);
  return calls.toSorted((a, b) => b.calls - a.calls);
}

/** A line of the summary: share, seconds, µs a call, calls, errors if any, name. */
function systemCall(line: string): SystemCall | undefined {
  const found = /^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(\d+)?\s*(\w+)$/.exec(line);
  if (found === null || found[3] === "total") return undefined;
  return { name: found[3], calls: Number(found[1]), errors: Number(found[2] ?? 0) };
}
