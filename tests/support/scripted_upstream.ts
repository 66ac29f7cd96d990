/**
 * An upstream that does what a script says, byte by byte, and counts what reaches it.
 *
 * @module
 */

import { MessageReader, type ReceivedMessage, writeAll } from "./message_reader.ts";

/** What an upstream does with one connection; it is closed when the script ends. */
export type UpstreamScript = (peer: UpstreamPeer, index: number) => Promise<void>;

/** One connection from the proxy. */
export class UpstreamPeer {
  /** Reads what the proxy sends. */
  readonly reader: MessageReader;
  readonly #conn: Deno.Conn;
  readonly #requests: ReceivedMessage[];

  /** Made by {@linkcode ScriptedUpstream}. */
  constructor(conn: Deno.Conn, requests: ReceivedMessage[]) {
    this.#conn = conn;
    this.#requests = requests;
    this.reader = new MessageReader(conn);
  }

  /** The next request with its body, or undefined when the proxy has closed. */
  async request(): Promise<ReceivedMessage | undefined> {
    const request = await this.reader.request();
    if (request !== undefined) this.#requests.push(request);
    return request;
  }

  /** The next request's head; its body stays unread. */
  async head(): Promise<ReceivedMessage | undefined> {
    const request = await this.reader.head();
    if (request !== undefined) this.#requests.push(request);
    return request;
  }

  /** Sends bytes as they are; false when the proxy takes no more. */
  send(value: string | Uint8Array<ArrayBuffer>): Promise<boolean> {
    return writeAll(this.#conn, value);
  }

  /** Waits until the proxy closes. */
  closed(): Promise<void> {
    return this.reader.end();
  }

  /** Answers each request with what `answer` gives, until the proxy closes. */
  async serve(answer: (request: ReceivedMessage) => string | Uint8Array<ArrayBuffer>): Promise<void> {
    for (let request = await this.request(); request !== undefined; request = await this.request()) {
      if (!await this.send(answer(request))) return;
    }
  }
}

/** A listening upstream. */
export class ScriptedUpstream {
  /** All requests that came, in order. */
  readonly requests: ReceivedMessage[] = [];
  /** Connections that were accepted. */
  connections = 0;
  /** Connections that are open. */
  open = 0;
  readonly #listener: Deno.Listener;
  readonly #script: UpstreamScript;
  readonly #conns = new Set<Deno.Conn>();
  readonly #running: Promise<void>;
  readonly #failures: unknown[] = [];

  private constructor(listener: Deno.Listener, script: UpstreamScript) {
    this.#listener = listener;
    this.#script = script;
    this.#running = this.#accept();
  }

  /** Listens on a free port of loopback. */
  static start(script: UpstreamScript): ScriptedUpstream {
    return new ScriptedUpstream(Deno.listen({ hostname: "127.0.0.1", port: 0 }), script);
  }

  /** Listens as the caller likes. */
  static on(listener: Deno.Listener, script: UpstreamScript): ScriptedUpstream {
    return new ScriptedUpstream(listener, script);
  }

  /** One that sends `answer` to each request and keeps its connections. */
  static answering(
    answer: string | ((request: ReceivedMessage) => string | Uint8Array<ArrayBuffer>),
  ): ScriptedUpstream {
    const give = typeof answer === "string" ? () => answer : answer;
    return ScriptedUpstream.start((peer) => peer.serve(give));
  }

  /** Its port. */
  get port(): number {
    return (this.#listener.addr as Deno.NetAddr).port;
  }

  /** Its `url` for a config. */
  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Closes it and everything on it; fails with what a script failed with. */
  async [Symbol.asyncDispose](): Promise<void> {
    closeQuietly(this.#listener);
    for (const conn of this.#conns) closeQuietly(conn);
    await this.#running;
    if (this.#failures.length > 0) throw this.#failures[0];
  }

  async #accept(): Promise<void> {
    const scripts: Promise<void>[] = [];
    try {
      for await (const conn of this.#listener) scripts.push(this.#run(conn));
    } finally {
      await Promise.all(scripts);
    }
  }

  async #run(conn: Deno.Conn): Promise<void> {
    this.#conns.add(conn);
    this.open++;
    try {
      await this.#script(new UpstreamPeer(conn, this.requests), this.connections++);
    } catch (error) {
      this.#failures.push(error);
    } finally {
      this.open--;
      this.#conns.delete(conn);
      closeQuietly(conn);
    }
  }
}

/** An answer of status 200 with a Content-Length. */
export function answerOf(body: string, lines = ""): string {
  return `HTTP/1.1 200 OK\r\n${lines}Content-Length: ${body.length}\r\n\r\n${body}`;
}

function closeQuietly(resource: { close(): void }): void {
  try {
    resource.close();
  } catch {
    // Closed already.
  }
}
