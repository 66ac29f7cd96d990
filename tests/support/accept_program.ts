/**
 * A socket driver that accepts connections, as a program that can be run with few file handles: `MODULE EXPORT`, whose value
 * is the driver or a function that makes it. It says its port, `accepted` for each connection, and `failed CODE` for each
 * failure. `close` on standard input closes the connections, `retry` accepts again at once, `end` closes everything.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- a program that says what happens

import type { Socket, SocketDriver } from "../../lib/sockets/socket.ts";
import { shortageOf } from "../../lib/failure/shortage.ts";

// The first listener of a signal needs handles, which the runtime's own would otherwise not get later.
const ignore = () => {};
Deno.addSignalListener("SIGUSR1", ignore);

const [module, name] = Deno.args;
const exported = (await import(module))[name];
const driver: SocketDriver = typeof exported === "function" ? await exported() : exported;
let open: Socket[] = [];
const listening = driver.listen({ address: "127.0.0.1", port: 0, shared: false }, {
  accepted(socket) {
    open.push(socket);
    const close = () => socket.close();
    socket.handler = { received() {}, drained() {}, ended: close, failed: close };
    console.log("accepted");
  },
  failed: (error) => console.log(`failed ${shortageOf(error)?.code ?? error.message}`),
});
console.log(listening.port);

const decoder = new TextDecoder();
let text = "";
reading: for await (const bytes of Deno.stdin.readable) {
  text += decoder.decode(bytes, { stream: true });
  for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n")) {
    const order = text.slice(0, end);
    text = text.slice(end + 1);
    if (order === "retry") listening.retry();
    for (const socket of open) if (order !== "retry") socket.close();
    if (order !== "retry") open = [];
    if (order === "end") break reading;
  }
}
listening.close();
Deno.removeSignalListener("SIGUSR1", ignore);
