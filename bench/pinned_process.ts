/**
 * Processes that stay on one core, and what they cost; ports to run them on.
 *
 * @module
 */

/** The core of what is measured. */
export const PROXY_CORE = "0";
/** The core of everything else. */
export const LOAD_CORE = "1";

/** Starts a command on one core; it says nothing. */
export function startPinned(
  core: string,
  command: string,
  args: string[],
  env: Record<string, string> = {},
): Deno.ChildProcess {
  return new Deno.Command("taskset", {
    args: ["-c", core, command, ...args],
    stdin: "null",
    stdout: "null",
    stderr: "null",
    env,
  }).spawn();
}

/** Runs a command on one core to its end; gives what it said. */
export async function runPinned(core: string, command: string, args: string[]): Promise<string> {
  const { stdout } = await new Deno.Command("taskset", { args: ["-c", core, command, ...args], stderr: "inherit" })
    .output();
  return new TextDecoder().decode(stdout);
}

/** User and system time of a process and its children, in ticks of 10 ms. taskset replaces itself, so the pid stays. */
export async function processorTicks(pid: number): Promise<number> {
  let ticks = 0;
  for (const member of [pid, ...await children(pid)]) {
    const stat = await Deno.readTextFile(`/proc/${member}/stat`);
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks;
}

/**
 * Waits until something listens on a port of loopback.
 *
 * @throws {Error} When nothing does after 10 s.
 */
export async function listening(port: number): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return;
    } catch {
      // Not yet there: looked at again in a moment.
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  throw new Error(`Nothing listens on port ${port} after 10 s`);
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

async function children(pid: number): Promise<number[]> {
  const { stdout } = await new Deno.Command("pgrep", { args: ["-P", String(pid)] }).output();
  return new TextDecoder().decode(stdout).split("\n").filter((line) => line !== "").map(Number);
}
