/**
 * An open port that serves the sites of a generation.
 *
 * @module
 */

import { respond } from "../listener/runtime/adapter.ts";
import { type Middleware, respondThrough } from "../listener/runtime/middleware.ts";
import type { GenerationListener } from "../generation/generation.ts";
import type { Entry } from "../listener/runtime/request_reader.ts";
import { handlesOut, type PortStatus, ServingPort } from "../listener/runtime/serving_port.ts";
import type { Log } from "../log/log.ts";

/** Address and port to open, and the responder for its requests. */
export type ListenerPlan =
  & Pick<GenerationListener, "address" | "port" | "responder">
  & Partial<Pick<GenerationListener, "middleware">>;

/** A port could not be opened; the message has advice. */
export class ListenError extends Error {
  override readonly name = "ListenError";
}

/** Options of {@linkcode OpenListener.open}. */
export interface ListenOptions {
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
  /**
   * Called when file handles have run out, before the port is opened again. `again` is true from the fourth time in a row on.
   *
   * @default {none}
   */
  readonly onHandlesOut?: (again: boolean) => void;
  /**
   * Called when the runtime has closed the port, and when it is open again.
   *
   * @default {none}
   */
  readonly onChange?: (now: PortStatus, before: PortStatus) => void;
}

/** A port that is reopened whenever it closes. Requests go to the generation that was set last. */
export class OpenListener {
  readonly #port: ServingPort;
  #entry: Entry;
  #middleware: readonly Middleware[];

  private constructor(listener: ListenerPlan, hostname: string, options: ListenOptions) {
    this.#entry = { responder: listener.responder, ownPort: true, scheme: "http" };
    this.#middleware = listener.middleware ?? [];
    const { port = listener.port, shared = false, onHandlesOut, onChange } = options;
    this.#port = new ServingPort({
      ...{ hostname, port, shared, onHandlesOut, onChange },
      handler: (request, info, uploads) => {
        const entry = this.#entry;
        if (this.#middleware.length === 0) return respond(request, info, entry, uploads);
        return respondThrough(this.#middleware, request, { info, uploads, entryOf: () => entry });
      },
    });
  }

  /**
   * Opens a port for the sites of `listener`.
   *
   * @throws {ListenError} When it is in use, not permitted, or the address is not this machine's.
   */
  static open(listener: ListenerPlan, options: ListenOptions = {}): OpenListener {
    const port = options.port ?? listener.port;
    return openAt({ ...listener, port }, (hostname) => new OpenListener(listener, hostname, options));
  }

  /**
   * Checks that the port is free. Workers, which share the port, would not notice that another program shares it too.
   *
   * @throws {ListenError} When the port is not free.
   */
  static check(listener: Pick<GenerationListener, "address" | "port">, { shared = false }: ListenOptions = {}): void {
    openAt(listener, (hostname) => Deno.listen({ hostname, port: listener.port, reusePort: shared })).close();
  }

  get address(): Deno.NetAddr {
    return this.#port.address;
  }

  get status(): PortStatus {
    return this.#port.status;
  }

  /** Sends requests to the sites of `listener` from now on; requests in flight are not affected. */
  serve(listener: Pick<ListenerPlan, "responder" | "middleware">): void {
    this.#entry = { responder: listener.responder, ownPort: true, scheme: "http" };
    this.#middleware = listener.middleware ?? [];
  }

  /** Settles when the uploads under way have ended: the runtime's shutdown would break them. */
  uploadsEnded(): Promise<void> {
    return this.#port.uploadsEnded();
  }

  /** Closes idle connections, by closing the port and opening it again. */
  closeIdle(): void {
    this.#port.closeIdle();
  }

  /** Stops accepting connections and waits until the last exchange has ended. */
  shutdown(): Promise<void> {
    return this.#port.shutdown();
  }
}

/** Logs that the runtime closed a port, or that the port is open again. */
export function logPortChange(log: Log | undefined, now: PortStatus, before: PortStatus): void {
  const { address, port, open, reason, reopenings } = now;
  if (open) {
    const closedMs = before.closedAtMs === null ? 0 : Date.now() - before.closedAtMs;
    log?.log("warn", "port is open again", { address, port, closed_ms: closedMs, reopenings });
    return;
  }
  const cause = reason ?? "unknown";
  const fields: Record<string, string | number> = { address, port, cause };
  if (handlesOut(cause)) fields.advice = "raise the limit of open files: ulimit -n, or LimitNOFILE= of the unit";
  log?.log("error", "port closed, it will be opened again", fields);
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
