/**
 * Opening ports for the sites of a generation.
 *
 * @module
 */

import type { GenerationListener } from "../generation/generation.ts";
import type { ListenerKind } from "../listener/listener_kind.ts";
import { accepts, handlesOut, type Port, type PortOptions, type PortStatus } from "../listener/port.ts";
import type { Log } from "../log/log.ts";
import { RuntimePort } from "./runtime_port.ts";
import { SocketPort } from "./socket_port.ts";

/** Address and port to open, and what responds to its requests. */
export type ListenerPlan =
  & Pick<GenerationListener, "address" | "port" | "responder">
  & Partial<Pick<GenerationListener, "middleware" | "clients" | "tls">>;

/** A port could not be opened; the message has advice. */
export class ListenError extends Error {
  override readonly name = "ListenError";
}

/** Options of {@linkcode openPort}. */
export interface ListenOptions
  extends Pick<PortOptions, "onHandlesOut" | "onChange" | "metrics" | "log" | "clock" | "mostHandles" | "makeRoom"> {
  /**
   * Which listener serves the port. BWS's own one serves those with TLS in any case.
   *
   * @default {"runtime"}
   */
  readonly kind?: ListenerKind;
  /**
   * Whether other workers or processes may listen on the same port (SO_REUSEPORT).
   *
   * @default {false}
   */
  readonly shared?: boolean;
  /**
   * The port number, where the config has 0 and a worker has got a number already.
   *
   * @default {that of the listener}
   */
  readonly port?: number;
}

/**
 * Opens a port for the sites of `listener`.
 *
 * @throws {ListenError} When it is in use, not permitted, or the address is not this machine's.
 */
export function openPort(listener: ListenerPlan, options: ListenOptions = {}): Port {
  const { kind = "runtime", port = listener.port, shared = false, ...others } = options;
  // Cleartext on a port that is meant for TLS would give secrets away.
  const PortOfKind = kind === "own" || listener.tls !== undefined ? SocketPort : RuntimePort;
  return openAt(
    { ...listener, port },
    (hostname) => new PortOfKind(listener, { ...others, hostname, port, shared }),
  );
}

/**
 * Checks that a port is free. Workers, which share the port, would not notice that another program shares it too.
 *
 * @throws {ListenError} When the port is not free.
 */
export function checkPort(
  listener: Pick<GenerationListener, "address" | "port">,
  { shared = false }: ListenOptions = {},
): void {
  openAt(listener, (hostname) => Deno.listen({ hostname, port: listener.port, reusePort: shared })).close();
}

/** Logs that a port accepts no connections, or that it does again. */
export function logPortChange(log: Log | undefined, now: PortStatus, before: PortStatus): void {
  const { address, port, open, reason, reopenings } = now;
  if (accepts(now)) {
    const sinceMs = before.closedAtMs ?? before.failingAtMs;
    const passedMs = sinceMs === null ? 0 : Date.now() - sinceMs;
    if (before.open) log?.log("warn", "port accepts connections again", { address, port, failed_ms: passedMs });
    else log?.log("warn", "port is open again", { address, port, closed_ms: passedMs, reopenings });
    return;
  }
  const cause = reason ?? "unknown";
  const fields: Record<string, string | number> = { address, port, cause };
  if (handlesOut(cause)) fields.advice = "raise the limit of open files: ulimit -n, or LimitNOFILE= of the unit";
  log?.log("error", open ? "port cannot accept connections" : "port closed, it will be opened again", fields);
}

type Place = Pick<GenerationListener, "address" | "port">;

function openAt<T>(listener: Place, open: (hostname: string) => T): T {
  // One socket for both families where the machine has IPv6.
  const candidates = listener.address === undefined ? ["::", "0.0.0.0"] : [listener.address];
  let failure: unknown;
  for (const hostname of candidates) {
    try {
      return open(hostname);
    } catch (error) {
      failure = error;
      if (error instanceof Deno.errors.AddrInUse || error instanceof Deno.errors.PermissionDenied) break;
    }
  }
  throw new ListenError(explain(failure, listener), { cause: failure });
}

function explain(failure: unknown, { address, port }: Place): string {
  const where = `${address === undefined ? "" : address.includes(":") ? `[${address}]` : address}:${port}`;
  if (failure instanceof Deno.errors.AddrInUse) {
    return `Cannot listen on ${where}: the port is in use. Stop the program that has it, or choose another \`port\``;
  }
  if (failure instanceof Deno.errors.PermissionDenied || failure instanceof Deno.errors.NotCapable) {
    return `Cannot listen on ${where}: not permitted. Ports below 1024 need root or CAP_NET_BIND_SERVICE; ` +
      `choose a \`port\` above, or allow it with \`setcap cap_net_bind_service=+ep\``;
  }
  const reason = failure instanceof Error ? failure.message : String(failure);
  return `Cannot listen on ${where}: ${reason}. Check \`listen\` against the addresses of this machine`;
}
