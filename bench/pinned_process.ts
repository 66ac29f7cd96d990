/**
 * Processes that stay on chosen cores, are all ended at the end, and what they cost; ports to run them on.
 *
 * @module
 */

import { treeOf } from "./process_tree.ts";

/** The core of what is measured. */
export const PROXY_CORE = "0";
/** The core of everything else. */
export const LOAD_CORE = "1";

/** How a process is started. */
export interface PinnedOptions {
  /** Added to the environment. */
  env?: Record<string, string>;
  /** File for what it says on stderr; without one it says nothing. */
  errorFile?: string;
  /** What becomes of stdin and stdout. @default "null" */
  pipes?: "null" | "piped";
}

/** How long a process may take to end when asked to. */
const GRACE_MS = 2000;
const CLOSING = "Everything is being stopped";
/** Raises the limit of open files as far as may be: ten thousand idle connections need it. */
const UNLIMITED = 'ulimit -n "$(ulimit -Hn)"; exec "$@"';

const running = new Set<Deno.ChildProcess>();
let closing = false;

/**
 * Starts a command on some cores; its process id is that of the command itself.
 *
 * @throws {Error} After `stopAll()`.
 */
export function startPinned(
  cores: string,
  command: string,
  args: string[],
  { env = {}, errorFile, pipes = "null" }: PinnedOptions = {},
): Deno.ChildProcess {
  if (closing) throw new Error(CLOSING);
  const script = errorFile === undefined ? UNLIMITED : `exec 2>"$BENCH_ERRORS"; ${UNLIMITED}`;
  const child = new Deno.Command("sh", {
    args: ["-c", script, "sh", "taskset", "-c", cores, command, ...args],
    stdin: pipes,
    stdout: pipes,
    stderr: "null",
    env: { ...env, ...(errorFile === undefined ? {} : { BENCH_ERRORS: errorFile }) },
  }).spawn();
  running.add(child);
  child.status.then(() => running.delete(child));
  return child;
}

/**
 * Runs a command on some cores to its end; gives what it said.
 *
 * @throws {Error} When it fails, with what it said last on stderr.
 */
export async function runPinned(cores: string, command: string, args: string[]): Promise<string> {
  if (closing) throw new Error(CLOSING);
  const child = new Deno.Command("taskset", {
    args: ["-c", cores, command, ...args],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  running.add(child);
  const { success, stdout, stderr } = await child.output();
  running.delete(child);
  if (!success) throw new Error(lastLine(new TextDecoder().decode(stderr)) || `${command} failed`);
  return new TextDecoder().decode(stdout);
}

/** Ends a process and what it started: asks first, since nginx's workers go with their master only when that is asked. */
export async function stop(child: Deno.ChildProcess): Promise<void> {
  // Its id may be another's by now.
  if (!running.has(child)) return;
  const members = await treeOf(child.pid);
  signal(child.pid, "SIGTERM");
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<"late">((resolve) => timer = setTimeout(() => resolve("late"), GRACE_MS));
  if (await Promise.race([child.status, late]) === "late") { for (const pid of members) signal(pid, "SIGKILL"); }
  clearTimeout(timer);
  await child.status;
}

/** Ends all that was started here and still runs; nothing more can be started. */
export async function stopAll(): Promise<void> {
  closing = true;
  await Promise.all([...running].map(stop));
}

/**
 * Waits until something listens on a port of loopback.
 *
 * @throws {Error} When nothing does in time, or `child` ends before.
 */
export async function listening(port: number, child?: Deno.ChildProcess, timeoutMs = 10_000): Promise<void> {
  let ended = false;
  child?.status.then(() => ended = true);
  for (const endMs = performance.now() + timeoutMs; performance.now() < endMs && !ended;) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return;
    } catch {
      // Not yet there: looked at again in a moment.
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  throw new Error(ended ? "It ended at once" : `Nothing listens on port ${port} after ${timeoutMs / 1000} s`);
}

/** A port that nothing listens on. */
export function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  return port;
}

/** Whether a program is on this machine. */
export async function installed(program: string): Promise<boolean> {
  const { success } = await new Deno.Command("which", { args: [program], stdout: "null", stderr: "null" }).output();
  return success;
}

/** The last line of a text that says something. */
export function lastLine(text: string): string {
  return text.split("\n").map((line) => line.trim()).filter((line) => line !== "").at(-1) ?? "";
}

function signal(pid: number, name: Deno.Signal): void {
  try {
    Deno.kill(pid, name);
  } catch {
    // It is gone already.
  }
}
