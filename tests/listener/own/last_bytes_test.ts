/**
 * The end of a connection whose client goes on sending.
 *
 * @module
 */

// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import type { CloseCause } from "../../../lib/listener/own/close_cause.ts";
import { LastBytes } from "../../../lib/listener/own/last_bytes.ts";
import { ScriptedSocket } from "../../support/scripted_socket.ts";

const MIB = 1 << 20;

/** A connection that ends, and why it was closed. */
function ending(socket: ScriptedSocket, linger: boolean) {
  const causes: CloseCause[] = [];
  const close = (cause: CloseCause) => {
    socket.close();
    causes.push(cause);
  };
  const last = new LastBytes({ socket, close }, { cause: "refused", linger, reset: false });
  last.begin();
  return { last, causes };
}

Deno.test("LastBytes reads past what a client sends behind a refusal, and closes once the client does", () => {
  const socket = new ScriptedSocket();
  const { last, causes } = ending(socket, true);
  assertEquals(socket.sendsNothingMore, true);
  last.received(new Uint8Array(MIB), 0, MIB);
  assertEquals([socket.paused, causes], [false, []]);
  socket.finish();
  assertEquals(causes, ["refused"]);
});

Deno.test("LastBytes holds back a client that sends much more, which can so read its response: a close would reset it", () => {
  const socket = new ScriptedSocket();
  const { last, causes } = ending(socket, true);
  last.received(new Uint8Array(MIB), 0, MIB);
  last.received(new Uint8Array(MIB), 0, 1);
  assertEquals([socket.paused, socket.closed, causes], [true, false, []]);
});

Deno.test("LastBytes sends what is queued, whatever the client sends meanwhile", () => {
  const socket = new ScriptedSocket();
  socket.block();
  socket.write(new TextEncoder().encode("response"), "lent");
  const { last, causes } = ending(socket, false);
  last.received(new Uint8Array(2 * MIB), 0, 2 * MIB);
  assertEquals([socket.closed, causes], [false, []]);
  socket.unblock();
  assertEquals([socket.written, causes], ["response", ["refused"]]);
});
