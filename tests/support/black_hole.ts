/**
 * An address that never answers: a listener whose queue of connections to accept is full, so that the system drops what asks
 * for more.
 *
 * @module
 */

/** A port that swallows connections. */
export class BlackHole {
  readonly #listener: Deno.TcpListener;
  readonly #fillers: Deno.Conn[];

  private constructor(listener: Deno.TcpListener, fillers: Deno.Conn[]) {
    this.#listener = listener;
    this.#fillers = fillers;
  }

  /** Opens one, on an address of loopback. */
  static async open(address = "127.0.0.1"): Promise<BlackHole> {
    const listener = Deno.listen({ hostname: address, port: 0, tcpBacklog: 1 });
    const { port } = listener.addr;
    // The queue holds one more than its size.
    const fillers = [
      await Deno.connect({ hostname: address, port }),
      await Deno.connect({ hostname: address, port }),
    ];
    return new BlackHole(listener, fillers);
  }

  /** Its port. */
  get port(): number {
    return this.#listener.addr.port;
  }

  /** Its `url` for a config. */
  get url(): string {
    return `http://${this.#listener.addr.hostname}:${this.port}`;
  }

  /** Accepts from now on, what waits first, and gives the connections to `use`. */
  async accept(use: (conn: Deno.Conn) => void): Promise<void> {
    for await (const conn of this.#listener) use(conn);
  }

  /** Closes it. */
  [Symbol.dispose](): void {
    this.#listener.close();
    for (const filler of this.#fillers) filler.close();
  }
}
