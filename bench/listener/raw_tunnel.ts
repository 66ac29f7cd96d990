/**
 * Upgrades relayed byte for byte, without a look at what passes: the upstream answers the handshake, and no frame is
 * read. Only here to measure what that would cost.
 *
 * @module
 */

import { headerValue } from "../../lib/http/header_lines.ts";
import type { RequestHead } from "../../lib/http/message.ts";
import type { UpgradeRelay } from "../../lib/listener/own/served_connection.ts";
import { dial } from "../../lib/sockets/dial.ts";
import { closeQuietly, type Wire } from "../../lib/sockets/wire.ts";
import type { Endpoint } from "../../lib/sockets/endpoint.ts";
import type { Inbox } from "../../lib/listener/own/inbox.ts";

/** Relays upgrades to one endpoint. */
export class RawTunnel implements UpgradeRelay {
  readonly #endpoint: Endpoint;

  /** @param endpoint Where all upgrades go. */
  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint;
  }

  /** Whether a request is an upgrade. */
  takes(head: RequestHead): boolean {
    return headerValue(head.headers, "upgrade") !== undefined;
  }

  /** Relays until either side closes. Never rejects. */
  async run(client: Wire, head: RequestHead, inbox: Inbox): Promise<void> {
    let upstream: Wire;
    try {
      upstream = await dial(this.#endpoint, 5000);
    } catch {
      return; // The client sees its connection close.
    }
    try {
      let text = `${head.method} ${head.path}${head.query} HTTP/1.1\r\n`;
      for (let i = 0; i < head.headers.length; i += 2) text += `${head.headers[i]}: ${head.headers[i + 1]}\r\n`;
      await writeAll(upstream, new TextEncoder().encode(text + "\r\n"));
      if (inbox.length > 0) await writeAll(upstream, inbox.bytes.slice(inbox.start, inbox.end));
      await Promise.race([pump(client, upstream), pump(upstream, client)]);
    } catch {
      // A side that breaks is a side that closes.
    } finally {
      closeQuietly(upstream);
    }
  }
}

async function pump(from: Wire, to: Wire): Promise<void> {
  const buffer = new Uint8Array(BUFFER_BYTES);
  try {
    for (;;) {
      const count = await from.read(buffer);
      if (count === null) return;
      await writeAll(to, buffer.subarray(0, count));
    }
  } catch {
    return; // Broken, or closed under the read.
  }
}

async function writeAll(wire: Wire, bytes: Uint8Array): Promise<void> {
  for (let rest = bytes; rest.length > 0;) rest = rest.subarray(await wire.write(rest));
}

const BUFFER_BYTES = 16 * 1024;
