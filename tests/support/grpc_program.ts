/**
 * A server or a client of gRPC by @grpc/grpc-js, in a process of its own: the runtime's node:http2 has ended processes.
 * `server` says its port. `client PORT` takes calls as lines, and says the outcome of each as a line of JSON.
 *
 * @module
 */

// deno-lint-ignore-file no-console -- a program that says what happens
import { Buffer } from "node:buffer";
import grpc from "npm:@grpc/grpc-js@1.14.7";

const bytes = (value: Uint8Array) => Buffer.from(value);

function method(path: string, requestStream: boolean, responseStream: boolean) {
  return {
    ...{ path, requestStream, responseStream, requestSerialize: bytes, requestDeserialize: bytes },
    ...{ responseSerialize: bytes, responseDeserialize: bytes },
  };
}

const SERVICE = {
  unary: method("/test.Test/Unary", false, false),
  fail: method("/test.Test/Fail", false, false),
  hang: method("/test.Test/Hang", false, false),
  cancelled: method("/test.Test/Cancelled", false, false),
  down: method("/test.Test/Down", false, true),
  up: method("/test.Test/Up", true, false),
  both: method("/test.Test/Both", true, true),
};
const HEALTH = { check: method("/grpc.health.v1.Health/Check", false, false) };

// deno-lint-ignore no-explicit-any
type Call = any;
type Reply = grpc.sendUnaryData<Uint8Array>;

function serve(): void {
  let cancelled = 0;
  const server = new grpc.Server({ "grpc.max_receive_message_length": -1 });
  server.addService(SERVICE, {
    unary: (call: Call, reply: Reply) => {
      const trailers = new grpc.Metadata();
      trailers.set("x-name", call.metadata.get("x-name")[0] ?? "");
      trailers.set("x-data-bin", Buffer.from([0, 255, 10]));
      reply(null, call.request, trailers);
    },
    fail: (_: Call, reply: Reply) => reply({ code: 9, details: "not now, é" }),
    hang: (call: Call) => {
      call.on("cancelled", () => cancelled++);
      // Who wants to leave does so once the call is here.
      if (call.metadata.get("x-leaves").length > 0) call.sendMetadata(new grpc.Metadata());
    },
    cancelled: (_: Call, reply: Reply) => reply(null, bytes(Uint8Array.of(cancelled))),
    down: (call: Call) => {
      for (let i = 0; i < 100; i++) call.write(bytes(Uint8Array.of(i)));
      call.end();
    },
    up: (call: Call, reply: Reply) => {
      let length = 0;
      call.on("data", (piece: Uint8Array) => length += piece.length);
      call.on("end", () => reply(null, Buffer.from(String(length))));
    },
    both: (call: Call) => {
      // Before any message of the client.
      call.sendMetadata(new grpc.Metadata());
      call.on("data", (piece: Uint8Array) => call.write(piece));
      call.on("end", () => call.end());
    },
  });
  server.addService(HEALTH, {
    check: (call: Call, reply: Reply) => {
      const service = call.request.subarray(2).toString();
      if (service === "unknown") return reply({ code: 5, details: "no such service" });
      reply(null, Buffer.from([8, service === "ill" ? 2 : 1]));
    },
  });
  server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (_, port) => console.log(port));
}

async function ask(port: string): Promise<void> {
  const Client = grpc.makeGenericClientConstructor(SERVICE, "Test");
  const client: Call = new Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), {
    "grpc.max_receive_message_length": -1,
  });
  let input = "";
  for await (const piece of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
    input += piece;
    for (let end = input.indexOf("\n"); end >= 0; end = input.indexOf("\n")) {
      const [name, size = "0", deadlineMs = "0"] = input.slice(0, end).split(" ");
      input = input.slice(end + 1);
      const options = deadlineMs === "0" ? {} : { deadline: Date.now() + Number(deadlineMs) };
      console.log(JSON.stringify(await outcome(client, name, Number(size), options)));
    }
  }
}

function outcome(client: Call, name: string, size: number, options: object): Promise<unknown> {
  const message = Buffer.alloc(size, 65);
  const metadata = new grpc.Metadata();
  metadata.set("x-name", "ann");
  if (name === "leave") metadata.set("x-leaves", "1");
  return new Promise((resolve) => {
    const replies: number[] = [];
    const reply = (_: unknown, value: Uint8Array) => value !== undefined && replies.push(value.length, value[0]);
    const call = name === "down" || name === "both"
      ? client[name](...name === "both" ? [metadata, options] : [message, metadata, options])
      : name === "up"
      ? client.up(metadata, options, reply)
      : client[name === "leave" ? "hang" : name](message, metadata, options, reply);
    call.on("error", () => {});
    call.on("data", (piece: Uint8Array) => {
      replies.push(piece.length);
      if (name === "both") replies.length < 5 ? call.write(message) : call.end();
    });
    // The server's metadata come before any message.
    call.on("metadata", () => name === "both" && call.write(message));
    call.on("status", ({ code, details, metadata: trailers }: grpc.StatusObject) => {
      const fields = { name: trailers.get("x-name")[0], data: [...trailers.get("x-data-bin")[0] ?? []] };
      setTimeout(() => resolve({ code, details, replies, ...fields }), 0);
    });
    if (name === "leave") call.on("metadata", () => call.cancel());
    if (name !== "up") return;
    for (let i = 0; i < 10; i++) call.write(message);
    call.end();
  });
}

if (Deno.args[0] === "server") serve();
else await ask(Deno.args[1]);
