/**
 * An upstream that speaks HTTP/2 in clear text by a script, frame by frame.
 *
 * @module
 */

import { closeQuietly } from "../../lib/sockets/wire.ts";
import { block, bytesOf, type Frame, frame, Frames, number, settings } from "./http2_frames.ts";
import { writeAll } from "./message_reader.ts";

const PREFACE_LENGTH = 24;

/** A request that has arrived, without its body. */
export interface Http2Request {
  readonly streamId: number;
  /** Pseudo-fields and fields. */
  readonly fields: Readonly<Record<string, string>>;
}

/** What an upstream does with one connection. It may end early: the connection stays open until the proxy closes it. */
export type Http2Script = (peer: Http2Peer, index: number) => Promise<void> | void;

/** How an upstream begins. */
export interface Http2UpstreamOptions {
  /** Its SETTINGS. */
  readonly settings?: [number, number][];
  /** Whether it gives the windows of what it has received back at once. */
  readonly readsBodies?: boolean;
}

/** The upstream's end of one connection. SETTINGS and PING are acknowledged by itself. */
export class Http2Peer {
  /** What has arrived. */
  readonly frames = new Frames();
  /** Whether PING is acknowledged. */
  pongs = true;
  readonly #conn: Deno.Conn;
  readonly #options: Http2UpstreamOptions;
  #preface = new Uint8Array(0);
  #taken = 0;
  #ended = false;
  #wakes: (() => void)[] = [];

  constructor(conn: Deno.Conn, options: Http2UpstreamOptions) {
    this.#conn = conn;
    this.#options = options;
  }

  /** Whether the proxy has closed the connection. */
  get ended(): boolean {
    return this.#ended;
  }

  /** The next request; undefined when the proxy has closed the connection. */
  async request(): Promise<Http2Request | undefined> {
    for (;;) {
      const { all, fields } = this.frames;
      for (; this.#taken < all.length; this.#taken++) {
        const found = fields.get(all[this.#taken]);
        const pseudo = found?.[0].startsWith(":") === true;
        if (found === undefined || !pseudo) continue;
        const { streamId } = all[this.#taken++];
        return { streamId, fields: recordOf(found) };
      }
      if (this.#ended) return undefined;
      await this.#news();
    }
  }

  /** Waits until `fact` holds, or the proxy closes the connection. */
  async until(fact: (frames: Frames) => boolean): Promise<void> {
    while (!fact(this.frames) && !this.#ended) await this.#news();
  }

  /** The whole body of a request. */
  async body(streamId: number): Promise<Uint8Array<ArrayBuffer>> {
    await this.until((frames) => frames.ended(streamId));
    return this.frames.dataOf(streamId);
  }

  /** Sends bytes as they are. */
  send(...pieces: (Uint8Array | readonly number[])[]): Promise<boolean> {
    return writeAll(this.#conn, bytesOf(...pieces));
  }

  /** Sends a response with a body that is small, one character a byte, and trailer fields. */
  respond(streamId: number, fields: readonly string[], body?: string, trailers?: readonly string[]): Promise<boolean> {
    const pieces = [frame(1, body === undefined && trailers === undefined ? 0x5 : 0x4, streamId, block(fields))];
    if (body !== undefined) {
      pieces.push(
        frame(0, trailers === undefined ? 0x1 : 0, streamId, Uint8Array.from(body, (char) => char.charCodeAt(0))),
      );
    }
    if (trailers !== undefined) pieces.push(frame(1, 0x5, streamId, block(trailers)));
    return this.send(...pieces);
  }

  /** Responds to each request with what `answer` gives, until the proxy closes. */
  async serve(answer: (request: Http2Request) => string): Promise<void> {
    for (let request = await this.request(); request !== undefined; request = await this.request()) {
      await this.respond(request.streamId, [":status", "200"], answer(request));
    }
  }

  /** Sends RST_STREAM. */
  reset(streamId: number, code: number): Promise<boolean> {
    return this.send(frame(3, 0, streamId, number(code)));
  }

  /** Sends GOAWAY. */
  goAway(lastStreamId: number, code = 0): Promise<boolean> {
    return this.send(frame(7, 0, 0, [...number(lastStreamId), ...number(code)]));
  }

  /** Closes the connection. */
  close(): void {
    closeQuietly(this.#conn);
  }

  /** Reads until the connection ends. */
  async read(): Promise<void> {
    await this.send(frame(4, 0, 0, settings(...this.#options.settings ?? [])));
    const buffer = new Uint8Array(65_536);
    for (;;) {
      const count = await this.#conn.read(buffer).catch(() => null);
      if (count === null) break;
      const replies = this.#take(buffer.slice(0, count)).flatMap((made) => this.#replyTo(made));
      if (replies.length > 0) await this.send(...replies);
      this.#wake();
    }
    this.#ended = true;
    this.#wake();
  }

  #take(bytes: Uint8Array<ArrayBuffer>): Frame[] {
    const missing = PREFACE_LENGTH - this.#preface.length;
    if (missing > 0) this.#preface = bytesOf(this.#preface, bytes.subarray(0, missing));
    return this.frames.take(bytes.subarray(Math.max(0, missing)));
  }

  #replyTo({ type, flags, streamId, payload }: Frame): Uint8Array[] {
    if (type === 4 && (flags & 1) === 0) return [frame(4, 1, 0)];
    if (type === 6 && (flags & 1) === 0 && this.pongs) return [frame(6, 1, 0, payload)];
    if (type !== 0 || payload.length === 0 || this.#options.readsBodies === false) return [];
    const increase = number(payload.length);
    return [frame(8, 0, 0, increase), ...(flags & 1) === 0 ? [frame(8, 0, streamId, increase)] : []];
  }

  #news(): Promise<void> {
    return new Promise((resolve) => this.#wakes.push(resolve));
  }

  #wake(): void {
    for (const wake of this.#wakes.splice(0)) wake();
  }
}

/** A listening upstream. */
export class Http2Upstream {
  /** Connections that were accepted, oldest first. */
  readonly peers: Http2Peer[] = [];
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #script: Http2Script;
  readonly #options: Http2UpstreamOptions;
  readonly #running: Promise<void>;
  readonly #failures: unknown[] = [];

  private constructor(script: Http2Script, options: Http2UpstreamOptions) {
    this.#script = script;
    this.#options = options;
    this.#running = this.#accept();
  }

  /** Listens on a free port of loopback. */
  static start(script: Http2Script, options: Http2UpstreamOptions = {}): Http2Upstream {
    return new Http2Upstream(script, options);
  }

  /** One that responds to each request with what `answer` gives. */
  static answering(answer: (request: Http2Request) => string, options: Http2UpstreamOptions = {}): Http2Upstream {
    return Http2Upstream.start((peer) => peer.serve(answer), options);
  }

  /** Its `url` for a config. */
  get url(): string {
    return `h2c://127.0.0.1:${(this.#listener.addr as Deno.NetAddr).port}`;
  }

  /** Closes it and all connections; fails with what a script failed with. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const peer of this.peers) peer.close();
    await this.#running;
    if (this.#failures.length > 0) throw this.#failures[0];
  }

  async #accept(): Promise<void> {
    const running: Promise<void>[] = [];
    for await (const conn of this.#listener) running.push(this.#run(conn));
    await Promise.all(running);
  }

  async #run(conn: Deno.Conn): Promise<void> {
    const peer = new Http2Peer(conn, this.#options);
    const index = this.peers.push(peer) - 1;
    const reading = peer.read();
    try {
      await this.#script(peer, index);
    } catch (error) {
      this.#failures.push(error);
    }
    await reading;
    closeQuietly(conn);
  }
}

function recordOf(fields: readonly string[]): Record<string, string> {
  const record: Record<string, string> = {};
  for (let i = 0; i < fields.length; i += 2) record[fields[i]] = fields[i + 1];
  return record;
}
