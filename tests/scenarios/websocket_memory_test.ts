// @ts-types="../../types/std/assert.d.ts"
import { assert, assertLess } from "@std/assert";
import { LISTENER_KINDS } from "../../lib/listener/listener_kind.ts";
import { FramePeer, SocketUpstream } from "../support/frame_peer.ts";
import { ProxyProcess } from "../support/proxy_process.ts";

const MIB = 1024 * 1024;

/** Many frames in few bytes. */
function frames(payload: number): Uint8Array<ArrayBuffer> {
  const count = 16_384;
  const bytes = new Uint8Array(count * (2 + payload));
  for (let i = 0; i < count; i++) {
    bytes[i * (2 + payload)] = 0x82;
    bytes[i * (2 + payload) + 1] = payload;
  }
  return bytes;
}

const CASES = [0, 1].flatMap((payload) => LISTENER_KINDS.map((listener) => [payload, listener] as const));

for (const [payload, listener] of CASES) {
  Deno.test({
    name: `messages of ${payload} bytes without end to a client that reads nothing take little memory (${listener})`,
    ignore: Deno.build.os !== "linux",
    fn: async () => {
      let sent = 0;
      await using upstream = SocketUpstream.start(async (peer) => {
        const bytes = frames(payload);
        // So much that the buffers of the sockets are full, but less than `max_buffered`.
        for (let i = 0; i < 24; i++) await peer.send(2, new Uint8Array(MIB));
        while (await peer.sendRaw(bytes)) sent++;
      });
      await using proxy = await ProxyProcess.start({
        upstreams: [upstream.url],
        proxy: { routes: [{ path: "/", upstream: "app", websocket: true }], websocket: { max_buffered: "32MiB" } },
        server: { listener },
      });
      const before = await proxy.status();
      using client = await FramePeer.connect(proxy.port);
      assert(client.firstLine.includes("101"));
      // For as long as it takes to see where it goes: without a bound it grows by 100 MB a second and more.
      const endMs = performance.now() + 5000;
      let peakBytes = 0;
      while (performance.now() < endMs) {
        peakBytes = (await proxy.status()).residentBytes;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      assertLess(peakBytes - before.residentBytes, 200 * MIB, `after ${sent * 16_384} messages`);
    },
  });
}
