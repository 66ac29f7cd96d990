/**
 * Callbacks that report failures, as every driver makes them.
 *
 * @module
 */

import type { AcceptHandler, ConnectHandler, SocketHandler } from "./socket.ts";

/** Notifies the handler of a socket that was closed by `error`. Never throws. */
export function notifyFailed(handler: SocketHandler, error: unknown): void {
  try {
    handler.failed(error instanceof Error ? error : new Error(String(error)));
  } catch {
    // The handler knows that the socket failed; there is nobody else to tell.
  }
}

/**
 * Notifies the handler of a listening socket that a connection could not be accepted. An exception of its own is reported
 * as that of an event listener is, and the driver goes on.
 */
export function notifyAcceptFailed(handler: AcceptHandler, error: Error): void {
  try {
    handler.failed(error);
  } catch (exception) {
    reportError(exception);
  }
}

/** Notifies the handler of a connect that it was refused, in the same way. */
export function notifyRefused(handler: ConnectHandler, error: Error): void {
  try {
    handler.refused(error);
  } catch (exception) {
    reportError(exception);
  }
}
