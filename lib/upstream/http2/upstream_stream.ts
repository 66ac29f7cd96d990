/**
 * One exchange with an upstream that speaks HTTP/2: a stream of a connection that many exchanges share.
 *
 * @module
 */

import { brokenConnection, TransportFailure, unusedConnection } from "../../failure/failure.ts";
import type { BodySource, Ownership } from "../../http/body.ts";
import { HeadWriter } from "../../http1/head_writer.ts";
import type { ResponseHead } from "../../http1/response_head.ts";
import { ErrorCode, errorName } from "../../http2/error_code.ts";
import type { FieldBlock } from "../../http2/field_block.ts";
import type { Http2Stream, ResetCause, StreamHandler } from "../../http2/stream.ts";
import { StreamSocket } from "../../http2/stream_socket.ts";
import type { Socket } from "../../sockets/socket.ts";
import type { CoarseClock } from "../../state/coarse_clock.ts";
import { Deadlines, type SilenceLimits } from "../connection/deadlines.ts";
import type { AskedHead, ConnectionUser, HeadSource, LentConnection } from "../connection/lent_connection.ts";
import { addRequestFields } from "./request_fields.ts";
import { StreamBody } from "./stream_body.ts";

/** The connection of a stream. */
export interface StreamConnection {
  readonly clock: CoarseClock;
  readonly scheme: "http" | "https";
  /** The socket of all streams. */
  readonly socket: Socket;
  /** Why it broke; undefined where it did not. */
  readonly readError: unknown;
  /** Opens the stream; undefined if no more can be opened. */
  open(stream: UpstreamStream): Http2Stream | undefined;
  /** The head of a response has arrived: {@linkcode UpstreamStream.headArrived} is to be called once the rest of what has arrived is read. */
  noteHead(stream: UpstreamStream): void;
  /** The exchange is over. */
  release(stream: UpstreamStream): void;
}

const enum Stage {
  /** Lent to an exchange that has not sent anything. */
  Lent,
  /** The head of the response is awaited. */
  Head,
  /** The head has arrived. */
  Body,
  /** There will be no response, or no more of it. */
  Over,
}

/** A stream that is lent to one exchange. Owned by its connection. */
export class UpstreamStream implements LentConnection, StreamHandler {
  readonly headFirst = true;
  readonly mayRefuse = true;
  readonly exchanges: number;
  readonly deadlines: Deadlines;
  responseBegun = false;
  blocked = false;
  readonly #connection: StreamConnection;
  #stream: Http2Stream | undefined;
  /** The stream as a socket, once it is a tunnel. */
  #tunnel: StreamSocket | undefined;
  #body: StreamBody | undefined;
  #stage = Stage.Lent;
  #user: ConnectionUser | undefined;
  /** The head of the response, while the user has not got it. */
  #head: ResponseHead | undefined;
  #bodiless = false;
  #interim = 0;
  #failure: TransportFailure | undefined;
  /** Whether the whole request was written, and the upstream's silence is to count once it was sent. */
  #completing = false;
  #sentBytes = 0;
  #released = false;

  /** @param exchanges Exchanges that the connection had before. */
  constructor(connection: StreamConnection, exchanges: number, limits: SilenceLimits) {
    this.#connection = connection;
    this.exchanges = exchanges;
    this.deadlines = new Deadlines(connection.clock, limits);
  }

  get body(): BodySource {
    return this.#body as StreamBody;
  }

  begin(user: ConnectionUser, limits: SilenceLimits = this.deadlines.limits): void {
    this.#user = user;
    this.deadlines.limits = limits;
  }

  ask(head: AskedHead, body?: Uint8Array<ArrayBuffer>, ownership: Ownership = "shared"): void {
    const stream = this.#connection.open(this);
    const encoder = stream?.beginHeaders();
    if (stream === undefined || encoder === undefined) throw this.#failure ?? unusedConnection();
    this.#stream = stream;
    this.#stage = Stage.Head;
    this.deadlines.awaitHead();
    const upgrades = this.#user?.upgrades === true;
    addRequestFields(typeof head === "string" ? head : textOf(head), this.#connection.scheme, encoder, upgrades);
    stream.sendHeaders(!upgrades && this.#user?.sendsBody !== true);
    if (body !== undefined) this.send(body, ownership);
  }

  send(bytes: Uint8Array<ArrayBuffer>, ownership: Ownership): boolean {
    const stream = this.#stream as Http2Stream;
    if (stream.write(bytes, ownership)) return true;
    if (!this.blocked) {
      this.blocked = true;
      this.#sentBytes = stream.sentBytes;
      this.deadlines.awaitWrite();
    }
    return false;
  }

  sendChunk(bytes: Uint8Array<ArrayBuffer>, ownership: Ownership): boolean {
    return this.send(bytes, ownership);
  }

  sendLastChunk(trailers: readonly string[] | undefined): void {
    this.#stream?.end(trailers);
  }

  requestComplete(): void {
    const stream = this.#stream as Http2Stream;
    stream.end();
    this.#completing = true;
    this.#advance(stream);
  }

  wholeBody(): Uint8Array<ArrayBuffer> | null | undefined {
    return this.#bodiless ? null : this.#body?.whole();
  }

  get tunnels(): boolean {
    return true;
  }

  /** The socket of its connection. */
  get socket(): Socket {
    return this.#connection.socket;
  }

  get early(): Uint8Array<ArrayBuffer> {
    return this.#tunnel?.takeHeld() ?? NOTHING;
  }

  detach(): Socket {
    this.#user = undefined;
    this.deadlines.endRead();
    // It is the tunnel's to end.
    this.#stream = undefined;
    return this.#tunnel as StreamSocket;
  }

  finish(_sent: boolean): boolean {
    this.close();
    return false;
  }

  abort(failure: TransportFailure): void {
    this.#failure ??= failure;
    const stage = this.#stage;
    const user = this.#user;
    this.close();
    if (stage === Stage.Body && this.#head === undefined) this.#body?.abort(this.#failure);
    else if (stage !== Stage.Over) user?.onFailed(this.#failure);
  }

  close(): void {
    if (this.#released) return;
    this.#released = true;
    this.#stage = Stage.Over;
    this.#user = undefined;
    // Without an effect on a stream that has ended in both directions.
    this.#stream?.reset(ErrorCode.CANCEL);
    this.#connection.release(this);
  }

  /** Enforces the deadlines. */
  tick(nowMs: number): void {
    const user = this.#user;
    if (user === undefined) return;
    if (this.#stream !== undefined) this.#advance(this.#stream);
    const failure = this.deadlines.expired(nowMs);
    if (failure !== undefined) return this.abort(failure);
    user.onTick();
  }

  /** From the stream: fields of the response arrived. */
  headers(block: FieldBlock, ended: boolean): void {
    this.responseBegun = true;
    if (block.kind === "trailers") return this.#body?.endWith(block.lines);
    this.deadlines.endRead();
    const head = headOf(block);
    if (block.status < 200) {
      if (++this.#interim > INTERIM_LIMIT) return this.abort(malformed("it sends too many interim responses"));
      this.deadlines.awaitHead();
      this.#user?.onInterim(head);
      return;
    }
    const stream = this.#stream as Http2Stream;
    this.#stage = Stage.Body;
    if (this.#user?.upgrades === true) {
      if (block.status < 300) this.#openTunnel(stream, ended);
      // It is refused: the request has no body.
      else stream.end();
    }
    this.#bodiless = ended || block.status === 204 || block.status === 304 || this.#user?.method === "HEAD";
    // Its Content-Length is that of a body which is not sent (RFC 9110, section 8.6).
    if (this.#bodiless) stream.expectedBytes = -1;
    this.#body = new StreamBody(stream, this.deadlines);
    this.#body.complete = ended;
    this.#head = head;
    this.#connection.noteHead(this);
  }

  /** The user gets the head of the response, and the bytes behind it that have arrived. */
  headArrived(): void {
    const head = this.#head;
    this.#head = undefined;
    if (head === undefined || this.#released) return;
    this.#user?.onHead(head);
  }

  /** The upstream has switched protocols: what follows its head are the tunnel's bytes. */
  #openTunnel(stream: Http2Stream, ended: boolean): void {
    stream.expectedBytes = -1;
    this.#tunnel = new StreamSocket(stream, this.#connection.socket);
    stream.handler = this.#tunnel.input;
    if (ended) this.#tunnel.input.data(NOTHING, 0, 0, true);
  }

  /** From the stream: data arrived. */
  data(bytes: Uint8Array<ArrayBuffer>, start: number, end: number, ended: boolean): void {
    this.#body?.receive(bytes, start, end, ended);
  }

  /** From the stream: it has room for more of the request. */
  drained(): void {
    this.blocked = false;
    this.deadlines.endWrite();
    this.#user?.onDrained();
  }

  /** From the stream: it ended before its time. */
  reset(code: number, cause: ResetCause, message: string): void {
    const stage = this.#stage;
    this.blocked = true;
    if (stage === Stage.Body) return this.#body?.lost(this.#failureOf(code, cause, message));
    this.#stage = Stage.Over;
    this.deadlines.endRead();
    this.#user?.onFailed(this.#failureOf(code, cause, message));
  }

  #failureOf(code: number, cause: ResetCause, message: string): TransportFailure {
    if (this.#failure !== undefined) return this.#failure;
    if (cause === "unprocessed" || (cause === "peer" && code === ErrorCode.REFUSED_STREAM)) {
      return new TransportFailure("refused", `The upstream did not act on the request: ${message}`);
    }
    if (cause === "malformed" || (cause === "connection" && code !== ErrorCode.NO_ERROR)) return malformed(message);
    const inBody = this.#stage === Stage.Body;
    const where = inBody
      ? "within its response's body"
      : this.responseBegun
      ? "within its response"
      : "before it responded";
    if (cause === "peer") {
      const kind = inBody ? "closed_in_body" : "closed_in_head";
      return new TransportFailure(kind, `The upstream reset the stream with ${errorName(code)} ${where}`);
    }
    const kind = inBody ? "closed_in_body" : this.responseBegun ? "closed_in_head" : "closed_unanswered";
    return brokenConnection(kind, `The upstream closed the connection ${where}`, this.#connection.readError);
  }

  /** Begins the deadline of a write anew where bytes were sent, and ends it once all were. */
  #advance(stream: Http2Stream): void {
    if (this.#completing && (stream.localEnded || stream.closed)) {
      this.#completing = this.blocked = false;
      this.deadlines.endWrite();
      this.deadlines.uploaded();
      return;
    }
    if ((!this.blocked && !this.#completing) || stream.sentBytes === this.#sentBytes) return;
    this.#sentBytes = stream.sentBytes;
    this.deadlines.awaitWrite();
  }
}

function headOf(block: FieldBlock): ResponseHead {
  const { lines } = block;
  const lowerNames: string[] = [];
  for (let i = 0; i < lines.length; i += 2) lowerNames.push(lines[i]);
  return {
    status: block.status,
    reason: undefined,
    minorVersion: 0,
    majorVersion: 2,
    headers: lines,
    lowerNames,
    contentLength: block.contentLength,
    chunked: false,
    connection: undefined,
    keepAliveMs: 0,
  };
}

function malformed(what: string): TransportFailure {
  return new TransportFailure("malformed", `The upstream's response is not HTTP/2: ${what}`);
}

const INTERIM_LIMIT = 32;
const NOTHING = new Uint8Array(0);

function textOf(head: HeadSource): string {
  OUT.clear();
  head.writeHead(OUT);
  const text = OUT.toText();
  OUT.trim();
  return text;
}

const OUT = new HeadWriter();
