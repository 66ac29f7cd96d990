/**
 * A client that sends exactly the bytes it is told to.
 *
 * @module
 */

import { MessageReader, type ReceivedMessage, statusOf, writeAll } from "./message_reader.ts";

/** One connection to the proxy. */
export class RawClient {
  /** Reads what the proxy sends. */
  readonly reader: MessageReader;
  readonly #conn: Deno.Conn;

  private constructor(conn: Deno.Conn) {
    this.#conn = conn;
    this.reader = new MessageReader(conn);
  }

  /** Connects to a port of loopback. */
  static async connect(port: number): Promise<RawClient> {
    return new RawClient(await Deno.connect({ hostname: "127.0.0.1", port }));
  }

  /** Sends bytes as they are; false when the proxy takes no more. */
  send(value: string | Uint8Array<ArrayBuffer>): Promise<boolean> {
    return writeAll(this.#conn, value);
  }

  /**
   * The next final answer.
   *
   * @throws {Error} When the connection ends before its head.
   */
  async answer(method = "GET"): Promise<ReceivedMessage> {
    for (;;) {
      const answer = await this.reader.answer(method);
      if (answer === undefined) {
        throw new Error(`Cannot read an answer: the connection ended after "${this.reader.rest}"`);
      }
      if (statusOf(answer) >= 200) return answer;
    }
  }

  /** Ends the sending direction alone. */
  async closeWrite(): Promise<void> {
    await this.#conn.closeWrite();
  }

  /** Closes the connection. */
  close(): void {
    try {
      this.#conn.close();
    } catch {
      // Closed already.
    }
  }

  /** Closes the connection. */
  [Symbol.dispose](): void {
    this.close();
  }
}

/** Sends `bytes` over a connection of its own and gives the one answer. */
export async function exchange(port: number, bytes: string, method = "GET"): Promise<ReceivedMessage> {
  using client = await RawClient.connect(port);
  await client.send(bytes);
  return await client.answer(method);
}

/** A GET request as text; `lines` end in CRLF each. */
export function get(target: string, lines = ""): string {
  return `GET ${target} HTTP/1.1\r\nHost: site.test\r\n${lines}\r\n`;
}

/** A POST request with a Content-Length as text. */
export function post(target: string, body: string, lines = ""): string {
  return `POST ${target} HTTP/1.1\r\nHost: site.test\r\nContent-Length: ${body.length}\r\n${lines}\r\n${body}`;
}

/** A HEAD request as text. */
export function head(target: string, lines = ""): string {
  return `HEAD ${target} HTTP/1.1\r\nHost: site.test\r\n${lines}\r\n`;
}
