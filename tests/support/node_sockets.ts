/**
 * npm `ws` under Node itself, in processes of its own: a server that sends each message back, and a client that says what
 * came of what it did.
 *
 * @module
 */

import { LineProgram } from "./line_program.ts";

/** What the client is told to do. */
export interface ClientOrder {
  /** Where it connects. */
  url: string;
  /** Subprotocols that it offers. */
  protocols?: string[];
  /** What it sends, in order: text, the parts of a fragmented text, or a binary message of so many bytes. */
  messages: (string | string[] | number)[];
  /** How it ends once all has come back: with a Close frame, without, or not by itself. */
  end: "close" | "terminate" | "wait";
  /** Whether it offers no compression, with which what a server sends just before it is killed may be lost. */
  plain?: boolean;
}

/** What the client saw. */
export interface ClientReport {
  protocol: string;
  extensions: string;
  /** Each message that came back: text, or the SHA-1 of a binary one. */
  got: string[];
  /** What its ping was answered with. */
  pong: string;
  code: number;
  reason: string;
}

/** Starts the server, which says its port, and then how each socket ended; undefined when there is no Node. */
export async function startNodeServer(): Promise<{ program: LineProgram; url: string } | undefined> {
  const program = LineProgram.startNode(SERVER, [await wsPath()]);
  return program && { program, url: `http://127.0.0.1:${await program.line()}` };
}

/** Starts the client. Its one line is a {@linkcode ClientReport}; undefined when there is no Node. */
export async function startNodeClient(order: ClientOrder): Promise<LineProgram | undefined> {
  return LineProgram.startNode(CLIENT, [await wsPath(), JSON.stringify(order)]);
}

/** Where `ws` lies in the runtime's cache: it depends on nothing, so that Node can load it from there. */
export async function wsPath(): Promise<string> {
  const specifier = "npm:ws@8.23.0";
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json", specifier] }).output();
  const { npmPackages } = JSON.parse(new TextDecoder().decode(stdout)) as {
    npmPackages: Record<string, { name: string; localPath: string }>;
  };
  const found = Object.values(npmPackages).find(({ name }) => name === "ws");
  if (found === undefined) throw new Error(`Cannot find ${specifier} in the processState's cache`);
  return `${found.localPath}/wrapper.mjs`;
}

const SERVER = `
const { WebSocketServer } = await import(process.argv[1]);
const server = new WebSocketServer({
  host: "127.0.0.1", port: 0, perMessageDeflate: { threshold: 0 }, maxPayload: 64 << 20,
  handleProtocols: (offered) => offered.has("chat.v2") ? "chat.v2" : false,
});
server.on("listening", () => console.log(server.address().port));
server.on("connection", (socket) => {
  socket.on("error", () => {});
  socket.on("message", (data, isBinary) => {
    if (data.toString("latin1", 0, 10) === "terminate!") return socket.terminate();
    if (data.toString("latin1", 0, 10) === "vanish now") process.kill(process.pid, "SIGKILL");
    if (isBinary || data.length === 0) return socket.send(data, { binary: isBinary });
    const half = data.length >> 1;
    socket.send(data.subarray(0, half).toString("latin1"), { binary: false, fin: false });
    socket.send(data.subarray(half).toString("latin1"), { binary: false, fin: true });
  });
  socket.on("close", (code, reason) =>
    console.log(JSON.stringify({ code, reason: String(reason), extensions: socket.extensions })));
});
`;

const CLIENT = `
import { createHash } from "node:crypto";
const { WebSocket } = await import(process.argv[1]);
const { url, protocols, messages, end, plain } = JSON.parse(process.argv[2]);
const socket = new WebSocket(url, protocols ?? [], { perMessageDeflate: !plain, maxPayload: 64 << 20 });
const report = { protocol: "", extensions: "", got: [], pong: "", code: 0, reason: "" };
const ended = () => {
  if (report.got.length < messages.length || report.pong === "") return;
  if (end === "close") socket.close(4321, "that is all");
  if (end === "terminate") socket.terminate();
};
socket.on("open", () => {
  report.protocol = socket.protocol;
  report.extensions = socket.extensions;
  for (const message of messages) {
    if (typeof message === "number") {
      const bytes = Buffer.alloc(message);
      for (let i = 0; i < message; i++) bytes[i] = i % 251;
      socket.send(bytes);
    } else if (typeof message === "string") socket.send(message);
    else message.forEach((part, i) => socket.send(part, { fin: i === message.length - 1 }));
  }
  socket.ping("are you there?");
});
socket.on("message", (data, isBinary) => {
  report.got.push(isBinary ? createHash("sha1").update(data).digest("hex") : String(data));
  ended();
});
socket.on("pong", (data) => { report.pong = String(data); ended(); });
socket.on("error", (error) => report.reason = error.message);
socket.on("close", (code, reason) => {
  console.log(JSON.stringify({ ...report, code, reason: String(reason) || report.reason }));
});
`;
