/**
 * A client of HTTP/2 that sends what a test says, byte by byte, and keeps what comes.
 *
 * @module
 */

import { until } from "./condition.ts";
import { block, CLIENT_BEGIN, type Frame, frame, Frames, number } from "./http2_frames.ts";
import { writeAll } from "./message_reader.ts";

const END = 0x1;
const END_HEADERS = 0x4;

/** A connection. */
export class Http2Client {
  /** What has arrived. */
  readonly received = new Frames();
  /** Whether the server has closed. */
  closed = false;
  /** Whether frames of data are acknowledged with windows, as they arrive. */
  opensWindows = true;
  readonly #conn: Deno.TcpConn;
  readonly #reading: Promise<void>;

  private constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
    this.#reading = this.#read();
  }

  /** Connects, without a byte. */
  static async connect(port: number): Promise<Http2Client> {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port });
    conn.setNoDelay(true);
    return new Http2Client(conn);
  }

  /** Connects, and begins. */
  static async begun(port: number): Promise<Http2Client> {
    const client = await Http2Client.connect(port);
    await client.send(CLIENT_BEGIN);
    return client;
  }

  /** Sends bytes, `step` at a time. False when the server takes no more. */
  async send(bytes: Uint8Array<ArrayBuffer>, step = bytes.length): Promise<boolean> {
    for (let at = 0; at < bytes.length; at += step) {
      if (!await writeAll(this.#conn, bytes.slice(at, at + step))) return false;
    }
    return true;
  }

  /** Sends the fields of a request, or trailers. */
  fields(streamId: number, fields: readonly string[], ends = true): Promise<boolean> {
    return this.send(frame(1, END_HEADERS | (ends ? END : 0), streamId, block(fields)));
  }

  /** Sends data. */
  data(streamId: number, bytes: Uint8Array<ArrayBuffer> | string, ends = false): Promise<boolean> {
    const payload = typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes;
    return this.send(frame(0, ends ? END : 0, streamId, payload));
  }

  /** The blocks of fields of a stream once it has ended: by END_STREAM or RST_STREAM. */
  async response(streamId: number): Promise<string[][]> {
    const { received } = this;
    await until(
      `stream ${streamId} has ended`,
      () => received.ended(streamId) || received.resetOf(streamId) !== undefined || this.closed,
    );
    return received.blocksOf(streamId);
  }

  /** Status of the final response of a stream. */
  async status(streamId: number): Promise<number> {
    const blocks = await this.response(streamId);
    const statuses = blocks.map((fields) => fields[0] === ":status" ? Number(fields[1]) : 0);
    return statuses.find((status) => status >= 200) ?? 0;
  }

  /** Text of the data of a stream. */
  text(streamId: number): string {
    return new TextDecoder().decode(this.received.dataOf(streamId));
  }

  /** Waits for the server to close, and gives the code of its GOAWAY. */
  async goneAway(): Promise<number | undefined> {
    await until("the server closes", () => this.closed);
    return this.received.goAway;
  }

  /** Waits for a frame. */
  async frame(what: string, matches: (frame: Frame) => boolean): Promise<Frame> {
    await until(what, () => this.received.all.some(matches) || this.closed);
    const found = this.received.all.find(matches);
    if (found === undefined) throw new Error(`The server closed without ${what}`);
    return found;
  }

  /** Ends its side. */
  async endWriting(): Promise<void> {
    await this.#conn.closeWrite().catch(() => {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#conn.close();
    } catch {
      // The server has closed already.
    }
    await this.#reading;
  }

  async #read(): Promise<void> {
    const buffer = new Uint8Array(64 * 1024);
    for (;;) {
      const count = await this.#conn.read(buffer).catch(() => null);
      if (count === null) break;
      const found = this.received.take(buffer.subarray(0, count));
      if (!this.opensWindows) continue;
      for (const { type, streamId, payload } of found) {
        if (type !== 0 || payload.length === 0) continue;
        await this.send(frame(8, 0, 0, number(payload.length)));
        if (!this.received.ended(streamId)) await this.send(frame(8, 0, streamId, number(payload.length)));
      }
    }
    this.closed = true;
  }
}

/** The value of a field. */
export function valueOf(fields: readonly string[] | undefined, name: string): string | undefined {
  const found = fields?.findIndex((field, index) => index % 2 === 0 && field === name) ?? -1;
  return found < 0 ? undefined : fields?.[found + 1];
}
