/**
 * One client's connection: requests are read, responded to in order, and what goes wrong ends it.
 *
 * @module
 */

import type { Responder } from "../../exchange/responder.ts";
import { peerOf, refusedHead } from "../runtime/request_reader.ts";
import type { HttpResponse, Peer, RequestHead } from "../../http/message.ts";
import { Refusal } from "../../http/refusal.ts";
import type { Wire } from "../../sockets/wire.ts";
import type { CoarseClock } from "../../state/coarse_clock.ts";
import { TransportFailure } from "../../failure/failure.ts";
import { HeadParser } from "../../http1/head_parser.ts";
import { MalformedMessage } from "../../http1/malformed_message.ts";
import { dateLine } from "./response_date.ts";
import { outgoingHead } from "./outgoing_head.ts";
import { ResponseWriter } from "./response_writer.ts";
import type { BufferPool } from "./buffer_pool.ts";
import { ClientDeadlines } from "./client_deadlines.ts";
import { Inbox } from "./inbox.ts";
import { type BodyHost, IncomingBody } from "./incoming_body.ts";
import type { ListenerLimits } from "./listener_limits.ts";
import { type ParsedRequest, parseRequest, refusalOf } from "./parsed_request.ts";
import { RequestClient } from "./request_client.ts";

/** Relays upgrades in place of the responder. */
export interface UpgradeRelay {
  /** Whether a request is one of those. */
  takes(head: RequestHead): boolean;
  /** Relays until either side closes. Never rejects. */
  run(client: Wire, head: RequestHead, inbox: Inbox): Promise<void>;
}

/** What the connections of one listener share. */
export interface ListenerParts {
  /** Who responds to the next request. */
  responder: Responder;
  /** Bounds. */
  readonly limits: ListenerLimits;
  /** The clock that deadlines go by. */
  readonly clock: CoarseClock;
  /** Write buffers. */
  readonly pool: BufferPool;
  /** For measurements: relays upgrades; undefined where they are responded to like others. */
  readonly tunnel: UpgradeRelay | undefined;
}

/** A connection. Owned by the listener's table until it closes. */
export class ServedConnection implements BodyHost {
  /** The client's address and port. */
  readonly peer: Peer;
  /** What has arrived. */
  readonly inbox: Inbox;
  /** What is waited for. */
  readonly deadlines: ClientDeadlines;
  readonly #conn: Deno.TcpConn;
  readonly #parts: ListenerParts;
  readonly #writer: ResponseWriter;
  readonly #parser = new HeadParser("request");
  /** Empty lines before the request that is awaited. */
  #emptyLines = 0;
  #client: RequestClient | undefined;
  /** Whether a response is being made or sent. */
  #responding = false;
  #draining = false;
  #closed = false;
  #refusing = false;
  #expectsContinue = false;
  #continueSent: Promise<void> | undefined;

  /** Takes a connection over. */
  constructor(conn: Deno.TcpConn, parts: ListenerParts) {
    this.#conn = conn;
    this.#parts = parts;
    this.peer = peerOf(conn.remoteAddr);
    this.deadlines = new ClientDeadlines(parts.clock, parts.limits);
    this.inbox = new Inbox(conn, () => this.#left());
    const { deadlines } = this;
    this.#writer = new ResponseWriter({ wire: conn, deadlines, pool: parts.pool, clock: parts.clock });
  }

  /** Serves until either side has had enough, and closes. Never rejects. */
  async serve(): Promise<void> {
    try {
      // Responses of several writes must not wait for the client to confirm the first.
      this.#conn.setNoDelay(true);
      for (let first = true; !this.#closed; first = false) {
        const request = await this.#nextRequest(first);
        if (request === undefined) break;
        if (request instanceof Refusal) {
          await this.#refuse(request);
          break;
        }
        if (!await this.#exchange(request)) break;
      }
    } catch (error) {
      // A mistake of our own: the client is told nothing of it, the log everything.
      const cause = error instanceof Error ? error.stack ?? error.message : String(error);
      if (!this.#closed) await this.#refuse(new Refusal(500, `Internal error: ${cause}`));
    } finally {
      this.close();
    }
  }

  /** Ends it after the response that is under way; at once where there is none. */
  drain(): void {
    this.#draining = true;
    if (!this.#responding && this.inbox.length === 0) this.close();
  }

  /** Closes it unless it has a request. */
  closeIdle(): void {
    if (!this.#responding && this.inbox.length === 0) this.close();
  }

  /** Closes it at once. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.inbox.close();
    this.#left();
  }

  /** Enforces the deadlines. */
  tick(nowMs: number): void {
    switch (this.deadlines.overdue(nowMs)) {
      case undefined:
        return;
      case "head":
        this.deadlines.endHead();
        this.#refusing = true;
        // Its own way out: the reading side waits for the client, and ends when the connection closes.
        this.#refuse(new Refusal(408, "The head did not arrive in time")).finally(() => this.close());
        return;
      case "body":
        this.deadlines.endBody(0);
        if (!this.#responding || this.#client?.incoming === undefined) return this.close();
        this.#client.incoming.fail(new TransportFailure("client_timeout", "The client's body did not arrive in time"));
        return;
      default:
        this.close();
    }
  }

  /** The client may send its body. */
  bodyWanted(): void {
    if (!this.#expectsContinue) return;
    this.#expectsContinue = false;
    // A failure shows in the read that waits for the body.
    this.#continueSent = this.#writer.sendRaw(CONTINUE).catch(() => {});
  }

  /** The body is here: from now on a read tells whether the client still is. */
  bodyEnded(): void {
    if (this.#responding) this.inbox.watch();
  }

  async #nextRequest(first: boolean): Promise<ParsedRequest | Refusal | undefined> {
    const { inbox, deadlines } = this;
    this.#emptyLines = 0;
    this.#parser.begin();
    for (;;) {
      if (inbox.length > 0) {
        const request = this.#takeRequest();
        if (request !== undefined) return request;
      }
      if (inbox.ended) return undefined;
      if (inbox.length > 0) deadlines.awaitHead();
      else if (this.#draining) return undefined;
      else deadlines.awaitRequest(first);
      await inbox.more();
      if (this.#closed || this.#refusing) return undefined;
    }
  }

  /** The request at the front of what has arrived; undefined when more is needed, for which there is room then. */
  #takeRequest(): ParsedRequest | Refusal | undefined {
    const { inbox } = this;
    const { limits } = this.#parts;
    const parser = this.#parser;
    try {
      while (inbox.length > 0) {
        const end = parser.parse(inbox.bytes, inbox.start, inbox.end);
        if (end < 0) return inbox.makeRoom(limits.maxHeadBytes) ? undefined : this.#tooLarge();
        const { head } = parser;
        inbox.start = end;
        if (head.firstLineLength > 0) {
          this.deadlines.endHead();
          return head.length > limits.maxHeadBytes ? this.#tooLarge() : parseRequest(head, this.peer, limits);
        }
        // An empty line before a request is let pass (RFC 9112, section 2.2), but not many.
        if (++this.#emptyLines > 2) return new Refusal(400, "There are empty lines where a request was expected");
        parser.begin();
      }
      return undefined;
    } catch (error) {
      if (error instanceof MalformedMessage) return refusalOf(error);
      throw error;
    }
  }

  #tooLarge(): Refusal {
    const { maxHeadBytes, maxTargetBytes } = this.#parts.limits;
    const { firstLineRead, head } = this.#parser;
    return !firstLineRead || head.firstLineLength > maxTargetBytes + 32
      ? new Refusal(414, "The first line is too long")
      : new Refusal(431, `The head is larger than ${maxHeadBytes} bytes`);
  }

  /** Responds to one request; whether the connection can go on. */
  async #exchange(request: ParsedRequest): Promise<boolean> {
    const { responder, tunnel } = this.#parts;
    if (tunnel?.takes(request.head)) {
      await tunnel.run(this.#conn, request.head, this.inbox);
      return false;
    }
    let incoming: IncomingBody | undefined;
    this.#expectsContinue = request.expectsContinue;
    if (request.bodyKind !== "none") {
      try {
        incoming = new IncomingBody(request, this);
      } catch (error) {
        await this.#refuse(new Refusal(400, error instanceof Error ? error.message : String(error)));
        return false;
      }
    }
    const client = this.#client = new RequestClient(incoming);
    this.#responding = true;
    const given = responder.respond(request.head, client);
    let response: HttpResponse;
    if (given instanceof Promise) {
      if (incoming?.unread !== true) this.inbox.watch();
      response = await given;
    } else {
      response = given;
    }
    const going = await this.#deliver(response, request, client);
    this.#responding = false;
    this.#client = undefined;
    if (!going) return false;
    if (incoming === undefined || !incoming.unread) return true;
    if (await incoming.discard(this.#parts.limits.maxDiscardedBytes)) return true;
    await this.#linger();
    return false;
  }

  async #deliver(response: HttpResponse, request: ParsedRequest, client: RequestClient): Promise<boolean> {
    const { incoming } = client;
    if (response.upgrade !== undefined) {
      // The gateway's WebSockets want the runtime's own socket, which only its own server gives.
      return this.#deliver(response.upgrade.fail("this listener has no WebSockets"), request, client);
    }
    // What the exchange takes for a client that left is one that cannot frame its body.
    if (response.status === 499 && incoming !== undefined && incoming.fault !== "") {
      return this.#deliver({ ...response, status: 400 }, request, client);
    }
    const gone = client.gone || this.#closed;
    if (gone) {
      if (response.body !== null && !(response.body instanceof Uint8Array)) response.body.cancel("The client left");
      return false;
    }
    const { method } = request.head;
    // A client that still waits for 100 (Continue) may send its body or not: nothing could be found behind it.
    const waiting = incoming?.unread === true && this.#expectsContinue;
    this.#expectsContinue = false;
    const closing = !request.persistent || this.#draining || waiting || (incoming?.fault ?? "") !== "";
    const head = outgoingHead(response, { method, minorVersion: request.minorVersion, closing, date: dateLine() });
    if (this.#continueSent !== undefined) await this.#continueSent;
    this.#continueSent = undefined;
    if (!await this.#writer.send(head, response.body)) return false;
    if (!head.closing && !this.#draining) return true;
    if (this.inbox.length > 0 || incoming?.unread === true) await this.#linger();
    return false;
  }

  async #refuse(refusal: Refusal): Promise<void> {
    const { responder } = this.#parts;
    const head = refusedHead(new Request("http://refused/"), { remoteAddr: this.#conn.remoteAddr }, { ownPort: true });
    const response = responder.refuse({ ...head, host: "" }, new RequestClient(undefined), refusal);
    const lines = outgoingHead(response, { method: "", minorVersion: 1, closing: true, date: dateLine() });
    if (await this.#writer.send(lines, response.body) && refusal.status !== 408) await this.#linger();
  }

  // A socket that closes with unread bytes resets the connection, which may take the response away from the client before
  // it is read (RFC 9112, section 9.6). So it is read from for a while.
  async #linger(): Promise<void> {
    const { inbox } = this;
    try {
      await this.#conn.closeWrite();
    } catch {
      return; // The client has closed already.
    }
    this.deadlines.awaitClose(LINGER_MS);
    let leftBytes = LINGER_BYTES;
    while (!inbox.ended && !this.#closed && leftBytes > 0) {
      leftBytes -= inbox.length;
      inbox.start = inbox.end;
      await inbox.more();
    }
  }

  #left(): void {
    if (!this.#responding) return;
    this.#client?.leave();
    this.#writer.abandon();
  }
}

const LINGER_MS = 2000;
const LINGER_BYTES = 1024 * 1024;
const CONTINUE = new TextEncoder().encode("HTTP/1.1 100 Continue\r\n\r\n");
