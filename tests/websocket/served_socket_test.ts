// @ts-types="../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { within } from "../support/condition.ts";

/** Serves one client, which vanishes, and then has nothing more to do. */
const PROGRAM = `
import { ServedSocket } from ${JSON.stringify(new URL("../../lib/websocket/served_socket.ts", import.meta.url).href)};
import { FramePeer } from ${JSON.stringify(new URL("../support/frame_peer.ts", import.meta.url).href)};
const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
  const { socket, response } = Deno.upgradeWebSocket(request, { idleTimeout: 120 });
  const options = { clock: { nowMs: 0 }, idleTimeoutMs: 0, closeTimeoutMs: 1000 };
  new ServedSocket(socket, options).start({
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
