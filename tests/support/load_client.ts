/**
 * A client that costs little: one connection, one request at a time, answers of a few bytes.
 *
 * @module
 */

/** What came back. */
export interface LoadAnswer {
  /** Its status; 0 when the connection failed, or the answer was cut short. */
  readonly status: number;
  /** `x-upstream` of the answer, or empty. */
  readonly upstream: string;
  /** Why there was no answer, or empty. */
  readonly failure: string;
}

/** One connection to a proxy, dialled when it is needed. */
export class LoadClient {
  readonly #port: number;
  readonly #buffer = new Uint8Array(8192);
  #conn: Deno.TcpConn | undefined;

  constructor(port: number) {
    this.#port = port;
  }

  /** Sends a request as it is and gives what came back. Never rejects. */
  async ask(bytes: Uint8Array): Promise<LoadAnswer> {
    try {
      this.#conn ??= await Deno.connect({ hostname: "127.0.0.1", port: this.#port });
      for (let at = 0; at < bytes.length;) at += await this.#conn.write(bytes.subarray(at));
      const { answer, kept } = await this.#read(this.#conn);
      if (!kept) this.close();
      return answer;
    } catch (error) {
      this.close();
      return { status: 0, upstream: "", failure: error instanceof Error ? error.message : String(error) };
    }
  }

  /** Hangs up. */
  close(): void {
    try {
      this.#conn?.close();
    } catch {
      // The system has closed it.
    }
    this.#conn = undefined;
  }

  async #read(conn: Deno.TcpConn): Promise<{ answer: LoadAnswer; kept: boolean }> {
    let text = "";
    while (!text.includes("\r\n\r\n")) text += await this.#more(conn);
    const end = text.indexOf("\r\n\r\n") + 4;
    const head = text.slice(0, end).toLowerCase();
    const chunked = head.includes("\r\ntransfer-encoding: chunked");
    const whole = end + Number(field(head, "content-length") ?? 0);
    while (chunked ? !text.endsWith("0\r\n\r\n") : text.length < whole) text += await this.#more(conn);
    return {
      answer: { status: Number(head.slice(9, 12)), upstream: field(head, "x-upstream") ?? "", failure: "" },
      kept: !head.includes("\r\nconnection: close"),
    };
  }

  async #more(conn: Deno.TcpConn): Promise<string> {
    const count = await conn.read(this.#buffer);
    if (count === null) throw new Error("The connection ended before the answer did");
    return decoder.decode(this.#buffer.subarray(0, count));
  }
}

const decoder = new TextDecoder("latin1");

function field(lowerHead: string, name: string): string | undefined {
  const start = lowerHead.indexOf(`\r\n${name}: `);
  if (start < 0) return undefined;
  const from = start + name.length + 4;
  return lowerHead.slice(from, lowerHead.indexOf("\r\n", from));
}
