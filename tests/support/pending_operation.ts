/**
 * An asynchronous operation of the runtime that does not end by itself.
 *
 * @module
 */

/** The acceptance of a connection that nobody makes. */
export class PendingOperation implements Disposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });

  /** Begins the operation. */
  begin(): void {
    this.#listener.accept().catch(() => {});
  }

  /** Ends it. */
  [Symbol.dispose](): void {
    this.#listener.close();
  }
}
