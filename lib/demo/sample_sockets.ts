/**
 * The WebSockets of a sample upstream. A socket sends the upstream's name when it opens, and then echoes every message.
 * It closes on request with a given code, so that close codes of an upstream can be observed through a proxy.
 *
 * @module
 */

/** Subprotocols that a sample upstream speaks; of those that a client offers, it takes the first of these. */
export const SUBPROTOCOLS: readonly string[] = ["chat", "notifications"];

/** The first message of every socket, as JSON. */
export interface Greeting {
  /** Name of the upstream. */
  readonly upstream: string;
  /** Path and query that reached it. */
  readonly target: string;
  /** Header lines of the request that reached it. */
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** The open WebSockets of one upstream. Owned by it. */
export class SampleSockets {
  readonly #name: string;
  readonly #onEnd: (end: { code: number; reason: string }) => void;
  readonly #open = new Set<WebSocket>();

  /**
   * @param name Name of the upstream.
   * @param onEnd Called with the close code and reason of each socket.
   */
  constructor(name: string, onEnd: (end: { code: number; reason: string }) => void = () => {}) {
    this.#name = name;
    this.#onEnd = onEnd;
  }

  /** How many are open. */
  get size(): number {
    return this.#open.size;
  }

  /**
   * Accepts a WebSocket handshake. A message `close CODE REASON` closes the socket; every other message is echoed.
   *
   * @throws {TypeError} When the request is no WebSocket handshake.
   */
  accept(request: Request): Response {
    const greeting = this.#greeting(request);
    const { socket, response } = Deno.upgradeWebSocket(request, { protocol: chosenProtocol(request) });
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      this.#open.add(socket);
      socket.send(JSON.stringify(greeting));
    };
    socket.onmessage = ({ data }) => {
      const order = typeof data === "string" ? /^close (\d{4}) ?(.*)$/s.exec(data) : null;
      if (order === null) socket.send(data);
      else closeAs(socket, Number(order[1]), order[2]);
    };
    socket.onclose = ({ code, reason }) => {
      this.#open.delete(socket);
      this.#onEnd({ code, reason });
    };
    return response;
  }

  #greeting(request: Request): Greeting {
    const { pathname, search } = new URL(request.url);
    return { upstream: this.#name, target: pathname + search, headers: [...request.headers] };
  }
}

function chosenProtocol(request: Request): string {
  const offered = request.headers.get("sec-websocket-protocol")?.split(",").map((name) => name.trim()) ?? [];
  return SUBPROTOCOLS.find((name) => offered.includes(name)) ?? "";
}

function closeAs(socket: WebSocket, code: number, reason: string): void {
  if (socket.readyState !== WebSocket.OPEN) return;
  try {
    socket.close(code, reason);
  } catch (error) {
    // A code or a reason that is invalid in a Close frame: the client gets the error.
    socket.send(`Cannot close with ${code}: ${error instanceof Error ? error.message : error}`);
  }
}
