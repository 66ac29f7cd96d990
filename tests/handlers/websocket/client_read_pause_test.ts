// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { ClientReadPause } from "../../../lib/handlers/websocket/client_read_pause.ts";
import { until, within } from "../../support/condition.ts";
import { frameBytes, FramePeer } from "../../support/frame_peer.ts";

interface Served {
  socket: WebSocket;
  control: ClientReadPause;
  got: string[];
}

/** Runs `body` with a client, and the server's socket with its control; `on` sees each message first. */
async function served(
  on: (served: Served, data: string) => void,
  body: (peer: FramePeer, served: Served) => Promise<void>,
): Promise<void> {
  let found: Served | undefined;
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    const { socket, response } = Deno.upgradeWebSocket(request, { idleTimeout: 0 });
    const made: Served = { socket, control: new ClientReadPause(socket, () => made.got.push("settled")), got: [] };
    socket.onmessage = (event) => {
      made.got.push(event.data);
      on(made, event.data);
    };
    found = made;
    return response;
  });
  using peer = await FramePeer.connect(server.addr.port);
  try {
    await within(5000, "the control's test", body(peer, found as Served));
  } finally {
    peer.close();
    await server.shutdown();
  }
}

// What the product builds on and the runtime does not promise: when this fails under a new Deno, the relay still works,
// but closes with 1013 where it could slow a client down. `reading_control.ts` says more.
Deno.test("ClientReadPause stops and resumes the runtime's reading, without losing or reordering a message", async () => {
  await served(({ control }, data) => {
    if (data === "stop") assertEquals(control.stop(), true);
  }, async (peer, { control, got, socket }) => {
    for (const word of ["a", "stop", "b", "stop", "c"]) await peer.send(1, word);
    await until("reading stopped", () => got.includes("settled"));
    // A stopped socket still sends, and hears nothing.
    socket.send("here");
    assertEquals(await peer.said(), "text:here");
    assertEquals(got, ["a", "stop", "settled"]);
    control.resume();
    await until("reading stopped again", () => got.length === 6);
    assertEquals(got, ["a", "stop", "settled", "b", "stop", "settled"]);
    control.resume();
    await until("the last message", () => got.length === 7);
    assertEquals(got.at(-1), "c");
  });
});

Deno.test("ClientReadPause resumes a stop that has not settled", async () => {
  await served(({ control }, data) => {
    if (data !== "stop") return;
    control.stop();
    control.resume();
  }, async (peer, { got }) => {
    await peer.sendRaw(frameBytes(1, "stop", { masked: true }));
    await peer.send(1, "next");
    await until("the next message", () => got.includes("next"));
    assertEquals(got, ["stop", "settled", "next"]);
  });
});

Deno.test("ClientReadPause lets messages through between the two Close frames, and the close code", async () => {
  await served(({ socket, control, got }, data) => {
    if (data !== "close") return;
    socket.onclose = ({ code, wasClean }) => got.push(`closed ${code} ${wasClean}`);
    socket.close(4001, "bye");
    control.keepReading();
  }, async (peer, { got }) => {
    for (const word of ["close", "late", "later"]) await peer.send(1, word);
    assertEquals(await peer.said(), "close:4001 bye");
    await peer.sendClose(4002);
    await until("the socket is closed", () => got.length === 4);
    assertEquals(got, ["close", "late", "later", "closed 4002 true"]);
  });
});

Deno.test("ClientReadPause returns false where the runtime's sockets are not as expected", () => {
  const socket = new EventTarget() as WebSocket;
  const control = new ClientReadPause(socket, () => {});
  assertEquals(control.stop(), false);
  control.resume();
  control.keepReading();
  assertEquals(control.stopping, false);
});
