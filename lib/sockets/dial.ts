/**
 * Opening a connection to an upstream, with a timeout: TCP, TLS or a unix socket.
 *
 * @module
 */

import { StallTolerantTimer } from "../state/stall_tolerant_timer.ts";
import type { Endpoint } from "./endpoint.ts";
import { TransportFailure } from "../failure/failure.ts";
import { handleShortage, shortageOf } from "../failure/shortage.ts";
import { Opening } from "./opening.ts";
import type { Socket } from "./socket.ts";

/** How a connection is dialled. */
export interface DialOptions {
  /**
   * Ends the wait, as when the client has left. A connection that opens later is closed.
   *
   * @default {never}
   */
  readonly signal?: AbortSignal;
  /**
   * The first bytes of the connection, in front of a TLS handshake.
   *
   * @default {none}
   */
  readonly preamble?: Uint8Array<ArrayBuffer>;
}

/**
 * Connects to `endpoint`. Time in which this process was blocked does not count: the connection may be open already.
 *
 * The socket is paused: the caller sets its handler as soon as the promise is settled, and resumes it.
 *
 * @param timeoutMs Limit for name look-up, TCP and TLS handshake together; Infinity for none.
 * @throws {TransportFailure} `connect`, `connect_timeout`, `shortage`, or `client_left` when `signal` fired.
 */
export function dial(
  endpoint: Endpoint,
  timeoutMs: number,
  { signal, preamble }: DialOptions = {},
): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const opening = new Opening();
  let settled = false;
  let timer: StallTolerantTimer | undefined;
  const settle = (): boolean => {
    if (settled) return false;
    settled = true;
    signal?.removeEventListener("abort", leave);
    return true;
  };
  const leave = () => {
    if (!settle()) return;
    timer?.stop();
    opening.abandon();
    reject(new TransportFailure("client_left", "The client left while the upstream was dialled"));
  };
  const expire = () => {
    opening.abandon();
    if (!settle()) return;
    reject(new TransportFailure("connect_timeout", `Cannot connect to ${name(endpoint)} within ${timeoutMs} ms`));
  };
  if (timeoutMs < Infinity) timer = new StallTolerantTimer(expire, timeoutMs);
  signal?.addEventListener("abort", leave, { once: true });
  if (signal?.aborted) leave();
  opening.open(endpoint, preamble).then((socket) => {
    timer?.stop();
    if (settle()) resolve(socket);
    else socket.close();
  }, (error) => {
    timer?.stop();
    if (settle()) reject(failureOf(endpoint, error));
  });
  return promise;
}

/** Name of an endpoint in messages. */
export function name(endpoint: Endpoint): string {
  return endpoint.kind === "unix" ? `unix:${endpoint.socketPath}` : endpoint.authority;
}

function failureOf(endpoint: Endpoint, error: unknown): TransportFailure {
  const reason = error instanceof Error ? error.message : String(error);
  const shortage = shortageOf(error) ?? hiddenShortage(reason);
  return shortage === undefined
    ? new TransportFailure("connect", `Cannot connect to ${name(endpoint)}: ${reason}`, error)
    : new TransportFailure("shortage", `Cannot connect to ${name(endpoint)}: ${shortage.advice}`, error);
}

// Without a file handle for the hosts file or the name server, the system reports that the name does not exist.
function hiddenShortage(reason: string) {
  return /lookup|getaddrinfo|ENOTFOUND/.test(reason) ? handleShortage() : undefined;
}
