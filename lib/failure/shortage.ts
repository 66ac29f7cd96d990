/**
 * Shortages of this machine or process: file handles, memory, ports. Such an error is a failure of the proxy, not of
 * the upstream.
 *
 * @module
 */

/** A resource that ran out. */
export interface Shortage {
  /** The system's error code. */
  readonly code: string;
  /** The missing resource and what an operator can do, for the log. */
  readonly advice: string;
}

/**
 * The shortage that caused `error`; undefined for another error.
 *
 * The runtime sets `code` on most of these errors. ENFILE has only the error number in its message; DNS errors have
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

/** The shortage of file handles that another error may hide; undefined when there are handles left. */
export function handleShortage(): Shortage | undefined {
  try {
    // Without the permission the runtime might prompt for it.
    if (Deno.permissions.querySync({ name: "read", path: NOTHING }).state !== "granted") return undefined;
    Deno.openSync(NOTHING).close();
    return undefined;
  } catch (error) {
    return shortageOf(error);
  }
}

/** Whether `error` means that file handles have run out, which closing connections frees. */
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
