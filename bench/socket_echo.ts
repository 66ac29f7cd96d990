/**
 * A WebSocket upstream of npm `ws` that sends each message back, as a program: `PORT`.
 *
 * @module
 */

// @ts-types="../types/ws.d.ts"
import { WebSocketServer } from "npm:ws@8.23.0";

if (import.meta.main) {
  const server = new WebSocketServer({ host: "127.0.0.1", port: Number(Deno.args[0]), perMessageDeflate: false });
  server.on("connection", (socket) => {
    socket.on("error", () => {});
    socket.on("message", (data, binary) => socket.send(data, { binary }));
  });
}
