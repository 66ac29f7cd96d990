/**
 * An upstream that can be made faulty, as a process of its own that can be killed and stopped: arguments are its name, its
 * port (0 for a free one, which it says) and the file that it notes its POSTs in. Told a line, it does so and says `ok`:
 *
 * - `well`: every answer is 200 with its name; a POST's `x-id` is in the file before it is answered.
 * - `status N`: it answers N to all but `/health`; `sick`: it answers 503 to `/health`.
 * - `slow N`: it answers N milliseconds late.
 * - `reset`: it takes each request whole, does it, and resets the connection.
 * - `refuse`: it closes its port and all connections.
 * - `leave`: it takes no more connections, finishes what it has, and ends.
 *
 * @module
 */

import { appendFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import process from "node:process";

const [name, wantedPort, file] = process.argv.slice(2);
let status = 200;
let health = 200;
let slowMs = 0;
let resets = false;
let port = Number(wantedPort);

function answer(request: IncomingMessage, response: ServerResponse): void {
  if (request.method === "POST") appendFileSync(file, `${request.headers["x-id"]}\n`);
  if (resets) {
    // What is not read yet, and what is not sent, is lost: the other side sees a reset.
    request.socket.resetAndDestroy();
    return;
  }
  response.statusCode = request.url === "/health" ? health : status;
  response.setHeader("x-upstream", name);
  response.end(name);
}

const server = createServer((request, response) => {
  request.resume();
  request.on("end", () => {
    if (slowMs === 0) answer(request, response);
    else setTimeout(() => answer(request, response), slowMs);
  });
});

function listen(): Promise<void> {
  return new Promise((resolve) =>
    server.listen(port, "127.0.0.1", () => {
      const address = server.address();
      if (address !== null && typeof address === "object") port = address.port;
      resolve();
    })
  );
}

async function obey(deed: string, argument: number): Promise<void> {
  if (deed === "well") {
    [status, health, slowMs, resets] = [200, 200, 0, false];
    if (!server.listening) await listen();
  }
  if (deed === "status") status = argument;
  if (deed === "sick") health = 503;
  if (deed === "slow") slowMs = argument;
  if (deed === "reset") resets = true;
  if (deed === "refuse") {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  }
}

await listen();
process.stdout.write(`${port}\n`);
let text = "";
process.stdin.on("data", async (data) => {
  text += String(data);
  for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n")) {
    const [deed, argument] = text.slice(0, end).split(" ");
    text = text.slice(end + 1);
    if (deed === "leave") {
      server.close(() => process.exit(0));
      server.closeIdleConnections();
    } else {
      await obey(deed, Number(argument));
    }
    process.stdout.write("ok\n");
  }
});
process.stdin.on("end", () => process.exit(0));
