/**
 * A WebSocket upstream that counts, as a process of its own that can be killed: `ws` on the port in the first argument
 * (0 for a free one, which it says). Each socket's path is its name.
 *
 * - It greets with `hello:PID`, and sends `u:N:LENGTH:…` messages all the time, N counting from 0.
 * - It expects `c:N:LENGTH:…` in the same way, and answers what is out of order with `wrong:…`.
 * - It answers `bye:N`, N being what the client has sent, with `bye:M` likewise, and closes with 1000.
 * - Told `leave`, it says `bye:M` to all, accepts no more, closes with 1012, and once all are gone says how many messages it got from each
 *   of them, as JSON.
 *
 * @module
 */

// @ts-types="../../types/ws.d.ts"
import { type WebSocket, WebSocketServer } from "npm:ws@8.23.0";
import { judge, numbered } from "./numbered_message.ts";

/** Time between two bursts, in milliseconds: a thousand sockets leave a busy machine room at this rate. */
const BURST_MS = 1600;
const BURST = 4;

interface Talk {
  socket: WebSocket;
  got: number;
  sent: number;
}

if (import.meta.main) {
  const decoder = new TextDecoder();
  const talks = new Set<Talk>();
  const counts: Record<string, number> = {};
  let leaving = false;
  const server = new WebSocketServer({ host: "127.0.0.1", port: Number(Deno.args[0]) });
  server.on("listening", () => say(String(server.address().port)));
  server.on("connection", (socket, request) => {
    const talk: Talk = { socket, got: 0, sent: 0 };
    talks.add(talk);
    socket.send(`hello:${Deno.pid}`);
    socket.on("error", () => {});
    socket.on("message", (data) => {
      const text = decoder.decode(data);
      const bye = text.startsWith("bye:");
      const fault = !bye
        ? judge(text, "c", talk.got++)
        : text === `bye:${talk.got}`
        ? undefined
        : `${text}, got ${talk.got}`;
      if (fault !== undefined && socket.readyState === 1) socket.send(`wrong:${fault}`);
      if (bye) part(talk, 1000);
    });
    socket.on("close", () => {
      talks.delete(talk);
      if (!leaving) return;
      counts[request.url] = talk.got;
      if (talks.size === 0) say(JSON.stringify(counts));
    });
    if (leaving) part(talk, 1012);
  });
  setInterval(() => {
    for (const talk of talks) {
      for (let i = 0; i < BURST && talk.socket.readyState === 1; i++) talk.socket.send(numbered("u", talk.sent++));
    }
  }, BURST_MS);
  const buffer = new Uint8Array(64);
  // The one line that is ever said to it.
  await Deno.stdin.read(buffer);
  leaving = true;
  server.close();
  for (const talk of talks) part(talk, 1012);
  if (talks.size === 0) say("{}");
}

function part({ socket, sent }: Talk, code: number): void {
  if (socket.readyState !== 1) return;
  socket.send(`bye:${sent}`);
  socket.close(code);
}

function say(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}
