/**
 * Three functions that the runtime's server sockets do not offer, implemented with their private members (Deno 2.9.6):
 *
 * - They read without a way to stop, so a client that sends faster than the upstream accepts would fill the memory.
 *   Their read loop is a method called `[[eventLoop]]` that ends when `[[readyState]]` is CLOSED and that can be called
 *   again: pausing means letting it end.
 * - A message that arrives between the server's Close frame and the client's makes them close the connection, so that
 *   the client does not receive the Close frame and its code. Sockets of `[[role]]` CLIENT deliver such messages
 *   instead.
 * - When the client disappears, the timer of their pings stays active. It keeps the socket, its listeners and the
 *   process alive for `idleTimeout`.
 *
 * Each step is verified: if a symbol is missing, or the loop does not end as expected, the socket is left as the
 * runtime made it, `pause` returns false, and the relay limits its memory by closing with 1013.
 *
 * @module
 */

/** Stops and resumes reading on one server socket. Owned by its {@linkcode ClientSocket}. */
export class ClientReadPause {
  readonly #socket: WebSocket;
  readonly #onStopped: () => void;
  #state: "reading" | "stopping" | "stopped" = "reading";
  #supported: boolean;
  #loops = 0;
  #resumeWanted = false;
  #realState = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param socket A socket of `Deno.upgradeWebSocket` that is not open yet.
   * @param onStopped Called when a stop has succeeded or failed: the socket can be used again.
   */
  constructor(socket: WebSocket, onStopped: () => void) {
    this.#socket = socket;
    this.#onStopped = onStopped;
    const loop = LOOP === undefined ? undefined : Reflect.get(WebSocket.prototype, LOOP);
    const readyState = symbolOf(socket, "[[readyState]]");
    this.#supported = LOOP !== undefined && typeof loop === "function" && readyState !== undefined &&
      Reflect.get(socket, readyState) === WebSocket.CONNECTING;
    if (!this.#supported || LOOP === undefined) return;
    // The runtime calls the loop as a member of the socket, so this override is called instead.
    Reflect.defineProperty(socket, LOOP, { value: () => this.#run(loop), configurable: true });
  }

  /** Whether a stop is in progress: the socket must not be used until `onStopped`. */
  get stopping(): boolean {
    return this.#state === "stopping";
  }

  /** Stops reading. Called within the socket's message event. Returns false if that is not possible. */
  stop(): boolean {
    if (!this.#supported || this.#loops !== 1) return false;
    this.#resumeWanted = false;
    if (this.#state !== "reading") return true;
    this.#state = "stopping";
    this.#realState = this.#socket.readyState;
    this.#setReadyState(WebSocket.CLOSED);
    // The loop ends in this turn of the event loop, or never.
    this.#timer = setTimeout(() => this.#settle("reading"), 0);
    return true;
  }

  /** Resumes reading. */
  resume(): void {
    if (this.#state === "stopping") this.#resumeWanted = true;
    if (this.#state !== "stopped") return;
    this.#state = "reading";
    const loop = LOOP === undefined ? undefined : Reflect.get(this.#socket, LOOP);
    if (typeof loop === "function") Reflect.apply(loop, this.#socket, []);
  }

  /** Called when a message arrives although reading should stop: this runtime does not support stopping. */
  failed(): void {
    this.#settle("reading");
  }

  /** Accepts messages after the server's Close frame, until the client's. Called directly after `close`. */
  keepReading(): void {
    const role = symbolOf(this.#socket, "[[role]]");
    if (role !== undefined && Reflect.get(this.#socket, role) === SERVER) Reflect.set(this.#socket, role, CLIENT);
  }

  /** Stops the ping timer that the runtime leaves active. Called after the socket closed without a Close frame. */
  release(): void {
    const idleTimeout = symbolOf(this.#socket, "[[idleTimeout]]");
    const restart = PING_TIMER === undefined ? undefined : Reflect.get(this.#socket, PING_TIMER);
    if (this.#socket.readyState !== WebSocket.CLOSED || idleTimeout === undefined) return;
    if (typeof restart !== "function" || !(Reflect.get(this.#socket, idleTimeout) > 0)) return;
    // Only the runtime can stop it, which it does before it starts the next one. The next one ends at once, since a
    // timer that finds the socket closed starts no other.
    Reflect.set(this.#socket, idleTimeout, Number.MIN_VALUE);
    Reflect.apply(restart, this.#socket, []);
  }

  async #run(loop: () => unknown): Promise<void> {
    this.#loops++;
    try {
      await Reflect.apply(loop, this.#socket, []);
    } finally {
      this.#loops--;
      if (this.#state === "stopping") this.#settle("stopped");
    }
  }

  #settle(state: "reading" | "stopped"): void {
    if (this.#state !== "stopping") return;
    clearTimeout(this.#timer);
    this.#state = state;
    this.#supported &&= state === "stopped";
    this.#setReadyState(this.#realState);
    this.#onStopped();
    if (this.#resumeWanted) this.resume();
  }

  #setReadyState(value: number): void {
    const readyState = symbolOf(this.#socket, "[[readyState]]");
    if (readyState !== undefined) Reflect.set(this.#socket, readyState, value);
  }
}

function symbolOf(object: object, description: string): symbol | undefined {
  return Object.getOwnPropertySymbols(object).find((symbol) => symbol.description === description);
}

const LOOP = symbolOf(WebSocket.prototype, "[[eventLoop]]");
const PING_TIMER = symbolOf(WebSocket.prototype, "[[serverHandleIdleTimeout]]");
const SERVER = 0;
const CLIENT = 1;
