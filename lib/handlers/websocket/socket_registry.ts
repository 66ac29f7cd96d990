/**
 * The open WebSockets of all generations, for counting them, and for closing them when their route is removed or the
 * proxy stops.
 *
 * @module
 */

import type { OpenWebSocket } from "./open_websocket.ts";

/** The route and the upstream of an open WebSocket. */
export interface RouteBinding {
  /** Identifies the route; changes with the route's options. */
  readonly route: string;
  readonly upstream: string;
  /** How long it may continue once the proxy is stopping, in milliseconds. */
  readonly drainMs: number;
}

/** Open WebSockets. Owned by the process state. */
export class SocketRegistry {
  /**
   * WebSockets whose client disconnected before the handshake response was sent: the runtime's shutdown waits for them
   * forever.
   */
  neverOpened = 0;
  readonly #open = new Map<OpenWebSocket, RouteBinding>();
  readonly #timers = new Map<OpenWebSocket, ReturnType<typeof setTimeout>>();
  #draining = false;
  #pendingChecks: (() => void)[] = [];

  get size(): number {
    return this.#open.size;
  }

  /** Whether no more may be opened. */
  get draining(): boolean {
    return this.#draining;
  }

  add(webSocket: OpenWebSocket, binding: RouteBinding): void {
    this.#open.set(webSocket, binding);
    // Its handshake was in progress when draining began.
    if (this.#draining) this.#closeAfter(webSocket, binding.drainMs);
  }

  delete(webSocket: OpenWebSocket): void {
    this.#cancel(webSocket);
    this.#open.delete(webSocket);
    for (const check of [...this.#pendingChecks]) check();
  }

  /** Closes each WebSocket after its drain time. Resolves when none is left. */
  drain(): Promise<void> {
    if (!this.#draining) {
      this.#draining = true;
      for (const [webSocket, { drainMs }] of this.#open) this.#closeAfter(webSocket, drainMs);
    }
    return this.#allEnded([...this.#open.keys()]);
  }

  /**
   * Closes the WebSockets whose route is gone. Resolves when none of them is left.
   *
   * @param stillRouted Whether a route is still there.
   * @param delayMs How long they may continue.
   */
  closeUnrouted(stillRouted: (binding: RouteBinding) => boolean, delayMs: number): Promise<void> {
    const gone: OpenWebSocket[] = [];
    for (const [webSocket, binding] of this.#open) {
      if (stillRouted(binding)) {
        // Its route was removed for less than the delay.
        if (!this.#draining) this.#cancel(webSocket);
        continue;
      }
      gone.push(webSocket);
      if (!this.#timers.has(webSocket)) {
        this.#closeAfter(webSocket, delayMs, "Its route, or its upstream, is not in the new config");
      }
    }
    return this.#allEnded(gone);
  }

  /** Ends all connections at once. */
  destroy(): void {
    for (const webSocket of [...this.#open.keys()]) webSocket.destroy();
  }

  #allEnded(webSockets: readonly OpenWebSocket[]): Promise<void> {
    const ended = () => webSockets.every((webSocket) => !this.#open.has(webSocket));
    if (ended()) return Promise.resolve();
    return new Promise((resolve) => {
      const check = () => {
        if (!ended()) return;
        this.#pendingChecks = this.#pendingChecks.filter((other) => other !== check);
        resolve();
      };
      this.#pendingChecks.push(check);
    });
  }

  #cancel(webSocket: OpenWebSocket): void {
    clearTimeout(this.#timers.get(webSocket));
    this.#timers.delete(webSocket);
  }

  #closeAfter(webSocket: OpenWebSocket, delayMs: number, cause?: string): void {
    clearTimeout(this.#timers.get(webSocket));
    this.#timers.set(webSocket, setTimeout(() => webSocket.goAway(cause), delayMs));
  }
}
