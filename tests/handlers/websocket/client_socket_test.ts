// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals, assertLess } from "@std/assert";
import { CoarseClock } from "../../../lib/state/coarse_clock.ts";
import { ClientSocket } from "../../../lib/handlers/websocket/client_socket.ts";
import { within } from "../../support/condition.ts";
import { frameBytes, FramePeer } from "../../support/frame_peer.ts";

/** Serves one client, which vanishes, and then has nothing more to do. */
const PROGRAM = `
import { ClientSocket } from ${
  JSON.stringify(new URL("../../../lib/handlers/websocket/client_socket.ts", import.meta.url).href)
};
import { FramePeer } from ${JSON.stringify(new URL("../../support/frame_peer.ts", import.meta.url).href)};
const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
  const { socket, response } = Deno.upgradeWebSocket(request, { idleTimeout: 120 });
  const options = { clock: { nowMs: 0 }, idleTimeoutMs: 0, closeTimeoutMs: 1000 };
  new ClientSocket(socket, options).start({
    onOpen() {}, onMessage: () => peer.close(), onClose() {}, onLost: () => console.log("lost"),
    onEnded: () => server.shutdown(),
  });
  return response;
});
const peer = await FramePeer.connect(server.addr.port);
await peer.send(1, "hello");
`;

Deno.test("a client that vanishes leaves no timer behind: its server can end at once", async () => {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["eval", PROGRAM],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  try {
    const { code, stdout } = await within(10_000, "the server's process ends", child.output());
    assertEquals([code, new TextDecoder().decode(stdout)], [0, "lost\n"]);
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  }
});

Deno.test("a client that sends empty messages without end leaves every turn of the event loop to others too", async () => {
  const all = 20_000;
  const received = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  let count = 0;
  let inTurn = 0;
  let most = 0;
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    const { socket, response } = Deno.upgradeWebSocket(request, { idleTimeout: 0 });
    new ClientSocket(socket, { clock: new CoarseClock(), idleTimeoutMs: 0, closeTimeoutMs: 1000 }).start({
      onOpen() {},
      onMessage() {
        most = Math.max(most, ++inTurn);
        if (++count === all) received.resolve();
      },
      onClose() {},
      onLost() {},
      onEnded: ended.resolve,
    });
    return response;
  });
  const turns = setInterval(() => inTurn = 0, 0);
  const peer = await FramePeer.connect(server.addr.port);
  const frame = frameBytes(1, "", { masked: true });
  const flood = new Uint8Array(all * frame.length);
  for (let i = 0; i < all; i++) flood.set(frame, i * frame.length);
  await Promise.all([peer.sendRaw(flood), within(60_000, "all messages arrive", received.promise)]);
  peer.close();
  await within(10_000, "the socket ends", ended.promise);
  clearInterval(turns);
  await server.shutdown();
  // It was thousands.
  assertLess(most, 2000);
});
