/**
 * The last callback of a socket that failed, as every driver makes it.
 *
 * @module
 */

import type { SocketHandler } from "./socket.ts";

/** Notifies the handler of a socket that was closed by `error`. Never throws. */
export function notifyFailed(handler: SocketHandler, error: unknown): void {
  try {
    handler.failed(error instanceof Error ? error : new Error(String(error)));
  } catch {
    // The handler knows that the socket failed; there is nobody else to tell.
  }
}
