/**
 * A proxy in a process of its own in front of an upstream, to count what its requests cost.
 *
 * @module
 */

import { ClosedLoop } from "./closed_loop.ts";

const PROGRAM = `import { getHeapStatistics } from "node:v8";
import { startServer } from "${new URL("../../lib/process/server.ts", import.meta.url)}";
import { resolveConfig } from "${new URL("../../lib/generation/config/resolve_config.ts", import.meta.url)}";
const server = await startServer(resolveConfig({ logging: { access: false }, sites: [{ listen: "127.0.0.1", port: 0, proxy: {
  upstreams: [{ name: "u", url: Deno.args[0] }], routes: [{ path: "/", upstream: "u" }] } }] }).config);
console.error(server.addresses[0].port);
for await (const line of Deno.stdin.readable) {
  if (line[0] === 0x67) for (let i = 0; i < 8; i++) {
    gc();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  console.error(getHeapStatistics().total_allocated_bytes);
}
Deno.exit(0);`;

/** A proxy that is asked over 64 connections that stay open, as its connections to the upstream do. */
export class CountedProxy {
  /** Of the process. */
  readonly pid: number;
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #lines: ReadableStreamDefaultReader<string>;
  readonly #upstream: Deno.HttpServer;
  readonly #folder: string;
  #port = 0;

  private constructor(child: Deno.ChildProcess, upstream: Deno.HttpServer, folder: string) {
    this.#child = child;
    this.pid = child.pid;
    this.#input = child.stdin.getWriter();
    this.#lines = child.stderr.pipeThrough(new TextDecoderStream()).getReader();
    this.#upstream = upstream;
    this.#folder = folder;
  }

  /** Starts one. */
  static async start(): Promise<CountedProxy> {
    const upstream = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () => new Response("hello"));
    const folder = await Deno.makeTempDir();
    await Deno.writeTextFile(`${folder}/program.ts`, PROGRAM);
    const config = new URL("../../deno.json", import.meta.url).pathname;
    const traces = `--trace-deopt,--redirect-code-traces,--redirect-code-traces-to=${folder}/traces`;
    const url = `http://127.0.0.1:${(upstream.addr as Deno.NetAddr).port}`;
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-A",
        "--no-check",
        `--v8-flags=--expose-gc,${traces}`,
        "--config",
        config,
        `${folder}/program.ts`,
        url,
      ],
      env: { BWS_SOCKETS: "epoll", BWS_LISTENER: "own" },
      // V8 writes parts of its traces to standard output.
      ...{ stdin: "piped", stdout: "null", stderr: "piped" },
    }).spawn();
    const proxy = new CountedProxy(child, upstream, folder);
    proxy.#port = Number((await proxy.#lines.read()).value);
    return proxy;
  }

  /** Makes requests, and fails if one of them does. */
  async ask(requests: number): Promise<void> {
    const lines = "Accept: */*\r\nAccept-Encoding: gzip\r\nUser-Agent: counting\r\n";
    const loop = new ClosedLoop({ port: this.#port, clients: 64, path: "/a/b?c=d", lines, requests });
    await loop.done;
    if (loop.failed > 0) throw new Error(`${loop.failed} requests failed: ${loop.failures[0]}`);
  }

  /** Bytes of its heap that were allocated since it was started. */
  async allocatedBytes(): Promise<number> {
    await this.#input.write(new TextEncoder().encode("\n"));
    return Number((await this.#lines.read()).value);
  }

  /** Collects garbage as often as V8 does in a process that rests, until nothing is left that nobody refers to. */
  async rest(): Promise<void> {
    await this.#input.write(new TextEncoder().encode("g\n"));
    await this.#lines.read();
  }

  /** How many pieces of compiled code V8 has undone because what they rely on has changed or is gone. */
  async undone(): Promise<number> {
    const text = await Deno.readTextFile(`${this.#folder}/traces`);
    return text.split("[marking dependent code").length - 1;
  }

  /** Stops it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input.close().catch(() => {});
    await this.#child.status;
    await this.#lines.cancel();
    await this.#upstream.shutdown();
    await Deno.remove(this.#folder, { recursive: true });
  }
}
