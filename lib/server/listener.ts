/**
 * A port that is open: `Deno.serve` with the gateway behind it.
 *
 * @module
 */

import { respond } from "../gateway/adapter.ts";
import type { Gateway, GatewayListener } from "../gateway/gateway.ts";

/** An open port. */
export interface OpenListener {
  /** Where it listens. */
  readonly address: Deno.NetAddr;
  /** Stops accepting and waits until the last exchange is over. */
  shutdown(): Promise<void>;
}

/** A port that could not be opened, with what to do about it. */
export class ListenError extends Error {
  override readonly name = "ListenError";
}

/**
 * Opens a port for the sites of `listener`.
 *
 * @throws {ListenError} When it is in use, not permitted, or the address is not this machine's.
 */
export function openListener(gateway: Gateway, listener: GatewayListener): OpenListener {
  // One socket for both families where the machine has IPv6.
  const candidates = listener.address === undefined ? ["::", "0.0.0.0"] : [listener.address];
  let failure: unknown;
  for (const hostname of candidates) {
    try {
      return open(gateway, listener, hostname);
    } catch (error) {
      failure = error;
      if (error instanceof Deno.errors.AddrInUse || error instanceof Deno.errors.PermissionDenied) break;
    }
  }
  throw new ListenError(explain(failure, listener), { cause: failure });
}

function open(gateway: Gateway, listener: GatewayListener, hostname: string): OpenListener {
  const entry = { sites: listener.sites, hostlessAuthority: "", scheme: "http" as const };
  const server = Deno.serve(
    { hostname, port: listener.port, onListen: () => {} },
    (request, info) => respond(gateway, request, info, entry),
  );
  entry.hostlessAuthority = `localhost:${server.addr.port}`;
  return { address: server.addr, shutdown: () => server.shutdown() };
}

function explain(failure: unknown, { address, port }: GatewayListener): string {
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
