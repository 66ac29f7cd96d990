/**
 * Three things that the runtime's server sockets lack in public, done with what they have in private (Deno 2.9.6):
 *
 * - They read without being asked, so a client that sends faster than the upstream takes would fill the memory. Their
 *   reading is a loop, a method called `[[eventLoop]]` that ends when `[[readyState]]` is CLOSED and that can be called
 *   again: to pause is to let it end.
 * - A message that arrives between the server's Close frame and the client's makes them drop the connection, which takes
 *   the Close frame, and its code, from the client. Sockets of `[[role]]` CLIENT deliver such messages instead.
 * - When their client vanishes, the timer of their pings stays. It holds the socket, all that listens to it, and the
 *   process, for as long as `idleTimeout`.
 *
 * Each step is looked at before it is believed: where a symbol is missing, or the loop does not end as expected, the
 * socket is left as the runtime made it, `pause` answers false, and the relay bounds its memory by closing with 1013.
 *
 * @module
 */

/** Stops and resumes the reading of one server socket. Owned by its {@linkcode ServedSocket}. */
export class ReadingControl {
  readonly #socket: WebSocket;
  readonly #onStopped: () => void;
  #state: "reading" | "stopping" | "stopped" = "reading";
  #able: boolean;
  #loops = 0;
  #resumeWanted = false;
  #realState = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param socket A socket of `Deno.upgradeWebSocket` that is not open yet.
   * @param onStopped Called when a stop is over, with success or without: the socket can be used again.
   */
  constructor(socket: WebSocket, onStopped: () => void) {
    this.#socket = socket;
    this.#onStopped = onStopped;
    const loop = LOOP === undefined ? undefined : Reflect.get(WebSocket.prototype, LOOP);
    const readyState = symbolOf(socket, "[[readyState]]");
    this.#able = LOOP !== undefined && typeof loop === "function" && readyState !== undefined &&
      Reflect.get(socket, readyState) === WebSocket.CONNECTING;
    if (!this.#able || LOOP === undefined) return;
    // The runtime calls the loop by the socket, so this one comes first.
    Reflect.defineProperty(socket, LOOP, { value: () => this.#run(loop), configurable: true });
  }

  /** Whether the socket is between reading and not reading: it must not be used until `onStopped`. */
  get stopping(): boolean {
    return this.#state === "stopping";
  }

  /** Stops reading. Called within the socket's message event. False when that is not possible. */
  stop(): boolean {
    if (!this.#able || this.#loops !== 1) return false;
    this.#resumeWanted = false;
    if (this.#state !== "reading") return true;
    this.#state = "stopping";
    this.#realState = this.#socket.readyState;
    this.#setReadyState(WebSocket.CLOSED);
    // The loop ends in this turn, or it never will.
    this.#timer = setTimeout(() => this.#settle("reading"), 0);
    return true;
  }

  /** Reads on. */
  resume(): void {
    if (this.#state === "stopping") this.#resumeWanted = true;
    if (this.#state !== "stopped") return;
    this.#state = "reading";
    const loop = LOOP === undefined ? undefined : Reflect.get(this.#socket, LOOP);
    if (typeof loop === "function") Reflect.apply(loop, this.#socket, []);
  }

  /** A message came although reading was to stop: this runtime cannot be stopped so. */
  failed(): void {
    this.#settle("reading");
  }

  /** Lets messages through after the server's Close frame, until the client's. Called right after `close`. */
  keepReading(): void {
    const role = symbolOf(this.#socket, "[[role]]");
    if (role !== undefined && Reflect.get(this.#socket, role) === SERVER) Reflect.set(this.#socket, role, CLIENT);
  }

  /** Lets go of the timer that the runtime forgets. Called once the socket closed without a Close frame. */
  release(): void {
    const idleTimeout = symbolOf(this.#socket, "[[idleTimeout]]");
    const restart = PING_TIMER === undefined ? undefined : Reflect.get(this.#socket, PING_TIMER);
    if (this.#socket.readyState !== WebSocket.CLOSED || idleTimeout === undefined) return;
    if (typeof restart !== "function" || !(Reflect.get(this.#socket, idleTimeout) > 0)) return;
    // Only the runtime can stop it, and does so before it starts the next one. That one is over at once, since a timer
    // that finds the socket closed starts no other.
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
    this.#able &&= state === "stopped";
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
