/**
 * The handshake with an upstream (RFC 6455, section 4.1): the request that the proxy sends as a WebSocket client, or for its
 * own client, and the check of a response with status 101.
 *
 * @module
 */

import { headerValue, listMembers } from "../../http/header_lines.ts";
import { TransportFailure } from "../../failure/failure.ts";
import type { ResponseHead } from "../../http1/response_head.ts";
import { acceptOf, handshakeKey, handshakeLines, type UpgradeRequest } from "./handshake.ts";

/** The handshakes of one exchange, one for each attempt. */
export class UpstreamHandshake {
  readonly #asked: UpgradeRequest | undefined;
  #key = "";

  /**
   * @param asked The client's handshake, where client and upstream make it with each other; otherwise the proxy makes
   * one of its own, and offers no extensions.
   */
  constructor(asked?: UpgradeRequest) {
    this.#asked = asked;
  }

  /** Header lines of the next handshake, each with its CRLF. Extensions are fields that pass like others. */
  ask(): string {
    this.#key = this.#asked?.key ?? handshakeKey();
    return handshakeLines(this.#key);
  }

  /** The head of a response that opens a stream as a WebSocket, as that of a response to the last handshake. */
  opened(head: ResponseHead): ResponseHead {
    const own = ["connection", "upgrade", "upgrade", "websocket", "sec-websocket-accept", acceptOf(this.#key)];
    const lowerNames = [...head.lowerNames, "connection", "upgrade", "sec-websocket-accept"];
    return { ...head, status: 101, headers: [...head.headers, ...own], lowerNames, connection: "upgrade" };
  }

  /**
   * Checks the head of a response with status 101 to the last handshake. The client checks the subprotocol: it must fail the
   * connection if that was not offered.
   *
   * @throws {TransportFailure} `malformed`.
   */
  check(head: ResponseHead): void {
    const { headers } = head;
    if (!listMembers(headerValue(headers, "upgrade") ?? "").includes("websocket")) {
      throw wrong('its Upgrade is not "websocket"');
    }
    if (!listMembers(head.connection ?? "").includes("upgrade")) throw wrong('its Connection does not hold "upgrade"');
    if (headerValue(headers, "sec-websocket-accept") !== acceptOf(this.#key)) {
      throw wrong("its Sec-WebSocket-Accept does not match the key");
    }
    // Which of those that were offered it uses is for the client to judge, as the subprotocol is.
    if (this.#asked?.extensions !== true && (headerValue(headers, "sec-websocket-extensions") ?? "") !== "") {
      throw wrong("it uses extensions, none was offered");
    }
  }
}

function wrong(what: string): TransportFailure {
  return new TransportFailure("malformed", `The upstream's response to the WebSocket handshake is wrong: ${what}`);
}
