/**
 * What this machine or this process lacks: file handles, memory, ports. Such an error is a failure of the proxy and tells
 * nothing of the upstream.
 *
 * @module
 */

/** Something that ran out. */
export interface Shortage {
  /** The system's name for it. */
  readonly code: string;
  /** What there is none of, and what an operator can do, in words for the log. */
  readonly advice: string;
}

/**
 * The shortage that `error` tells of; undefined when it tells of something else.
 *
 * The runtime gives a `code` for most of them. ENFILE has none, only the number of the error in its message; DNS errors have
 * only the text of the system.
 */
export function shortageOf(error: unknown): Shortage | undefined {
  for (let cause = error, depth = 0; cause instanceof Error && depth < 4; cause = cause.cause, depth++) {
    const code = "code" in cause && typeof cause.code === "string" ? cause.code : codeIn(cause.message);
    const advice = ADVICE[code];
    if (advice !== undefined) return { code, advice };
  }
  return undefined;
}

/** The error that the next file handle would meet, where a failure may hide it; undefined when there are handles left. */
export function handleShortage(): Shortage | undefined {
  try {
    // Without the permission the runtime might stop to ask for it.
    if (Deno.permissions.querySync({ name: "read", path: NOTHING }).state !== "granted") return undefined;
    Deno.openSync(NOTHING).close();
    return undefined;
  } catch (error) {
    return shortageOf(error);
  }
}

/** Whether `error` tells that file handles have run out, which closed connections give back. */
export function isHandleShortage(error: unknown): boolean {
  const code = (shortageOf(error) ?? handleShortage())?.code;
  return code === "EMFILE" || code === "ENFILE";
}

const NOTHING = Deno.build.os === "windows" ? "NUL" : "/dev/null";

function codeIn(message: string): string {
  const number = / \(os error (\d+)\)/.exec(message)?.[1];
  return number === undefined ? "" : CODES[number] ?? "";
}

/** Numbers that are the same on Linux, macOS and the BSDs. */
const CODES: Readonly<Record<string, string>> = { 12: "ENOMEM", 23: "ENFILE", 24: "EMFILE" };

const ADVICE: Readonly<Record<string, string>> = {
  EMFILE:
    "this process has no file handles left (EMFILE): raise its limit (ulimit -n, LimitNOFILE=) or lower connections",
  ENFILE: "this machine has no file handles left (ENFILE): raise fs.file-max",
  ENOMEM: "this machine has no memory left for sockets (ENOMEM): add memory, or see net.ipv4.tcp_mem",
  ENOBUFS: "this machine has no buffers left for sockets (ENOBUFS): add memory, or see net.core.wmem_max",
  EADDRNOTAVAIL:
    "this machine has no local port left for that address (EADDRNOTAVAIL): raise connections.max_idle, or widen " +
    "net.ipv4.ip_local_port_range",
  EAGAIN: "this machine has no local port or route left for that address (EAGAIN): widen net.ipv4.ip_local_port_range",
};
