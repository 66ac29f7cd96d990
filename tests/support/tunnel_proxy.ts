/**
 * A port that does nothing but tunnel WebSockets to one upstream: the handshake passes as it comes. For tests of tunnels
 * over real sockets without a whole proxy.
 *
 * @module
 */

import { Tunnel, type TunnelOptions } from "../../lib/handlers/websocket/tunnel.ts";
import { RuntimeSocket } from "../../lib/sockets/runtime_socket.ts";
import { CoarseClock } from "../../lib/state/coarse_clock.ts";

/** A running one. */
export class TunnelProxy {
  /** WebSockets that have ended: close code and cause of each. */
  readonly ended: [code: number, cause: string][] = [];
  readonly open = new Set<Tunnel>();
  readonly #listener: Deno.TcpListener;
  readonly #upstreamPort: number;
  readonly #options: TunnelOptions;
  readonly #running: Promise<void>;

  /** @param upstream Its `url`. */
  constructor(upstream: { url: string }, config: Partial<TunnelOptions["config"]> = {}, closeTimeoutMs = 10_000) {
    this.#upstreamPort = Number(new URL(upstream.url).port);
    this.#options = {
      clock: new CoarseClock(10, 1000),
      config: {
        ...{ max_buffered: 1024 * 1024, max_message: 64 * 1024 * 1024, ping_interval: 0, idle_timeout: 0 },
        ...config,
      },
      closeTimeoutMs,
    };
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.#running = this.#accept();
  }

  /** Where it listens. */
  get port(): number {
    return (this.#listener.addr as Deno.NetAddr).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const tunnel of this.open) tunnel.destroy();
    await this.#running;
  }

  async #accept(): Promise<void> {
    const running: Promise<void>[] = [];
    for await (const conn of this.#listener) running.push(this.#serve(conn));
    await Promise.all(running);
  }

  async #serve(client: Deno.TcpConn): Promise<void> {
    client.setNoDelay(true);
    const upstream = await Deno.connect({ hostname: "127.0.0.1", port: this.#upstreamPort });
    upstream.setNoDelay(true);
    const fromClient = await this.#head(client, upstream);
    const fromUpstream = await this.#head(upstream, client);
    if (fromClient === undefined || fromUpstream === undefined) return close(client, upstream);
    const sockets = [new RuntimeSocket(client), new RuntimeSocket(upstream)];
    const tunnel = new Tunnel(sockets[0], sockets[1], this.#options, {
      upstreamEnded: () => {},
      webSocketEnded: ({ status, cause }) => {
        this.open.delete(tunnel);
        this.ended.push([status.code, cause]);
      },
    });
    this.open.add(tunnel);
    tunnel.start(fromClient, fromUpstream);
    for (const socket of sockets) socket.begin();
  }

  /** Passes a head on; what arrived behind it. */
  async #head(from: Deno.Conn, to: Deno.Conn): Promise<Uint8Array<ArrayBuffer> | undefined> {
    let bytes = new Uint8Array(0);
    for (;;) {
      const buffer = new Uint8Array(64 * 1024);
      const count = await from.read(buffer).catch(() => null);
      if (count === null) return undefined;
      bytes = new Uint8Array([...bytes, ...buffer.subarray(0, count)]);
      const end = new TextDecoder("latin1").decode(bytes).indexOf("\r\n\r\n") + 4;
      if (end < 4) continue;
      await to.write(bytes.subarray(0, end));
      return bytes.slice(end);
    }
  }
}

function close(...conns: Deno.Conn[]): void {
  for (const conn of conns) conn.close();
}
