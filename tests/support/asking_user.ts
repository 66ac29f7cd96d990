/**
 * The user of an upstream connection that makes one exchange.
 *
 * @module
 */

import type { ResponseHead } from "../../lib/http1/response_head.ts";
import type { ConnectionUser, LentConnection } from "../../lib/upstream/connection/lent_connection.ts";

/** Takes the head of a response as a promise. */
export class AskingUser implements ConnectionUser {
  readonly method = "GET";
  readonly acceptsTrailers = false;
  readonly sendsBody = false;
  readonly #head = Promise.withResolvers<ResponseHead>();

  /** Begins an exchange on `connection`, and sends a request without a body. */
  static ask(connection: LentConnection, head = "GET / HTTP/1.1\r\nhost: a\r\n\r\n"): Promise<ResponseHead> {
    const user = new AskingUser();
    connection.begin(user);
    connection.ask(head);
    return user.#head.promise;
  }

  onHead(head: ResponseHead): void {
    this.#head.resolve(head);
  }

  onFailed(failure: unknown): void {
    this.#head.reject(failure);
  }

  onTick(): void {}
  onInterim(): void {}
  onDrained(): void {}
}
