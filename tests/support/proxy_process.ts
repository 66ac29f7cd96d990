/**
 * BWS in a process of its own, watched from outside.
 *
 * @module
 */

import { BUSY_TIMES } from "./condition.ts";
import type { ProxyStatus } from "./proxy_program.ts";
import { configOf, type RunningProxyOptions } from "./running_proxy.ts";

/** A proxy in a process of its own. */
export class ProxyProcess {
  /** Its port. */
  port = 0;
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #output: ReadableStreamDefaultReader<string>;
  #text = "";

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#input = child.stdin.getWriter();
    this.#output = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  /**
   * Starts one. Its complaints go nowhere: answers that are cut short are what such tests are about.
   *
   * @param openFiles How many file handles it may have; without it, as many as this process.
   */
  static async start(options: RunningProxyOptions, openFiles?: number): Promise<ProxyProcess> {
    const program = new URL("proxy_program.ts", import.meta.url).pathname;
    const args = ["run", "-A", "--no-check", "--v8-flags=--expose-gc", program, JSON.stringify(configOf(options))];
    const [command, ...first] = openFiles === undefined
      ? [Deno.execPath()]
      : ["sh", "-c", `ulimit -n ${openFiles}; exec "$@"`, "sh", Deno.execPath()];
    const child = new Deno.Command(command, {
      args: [...first, ...args],
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const proxy = new ProxyProcess(child);
    proxy.port = (await proxy.#said()).port;
    return proxy;
  }

  /** What it says of itself now. */
  async status(): Promise<ProxyStatus> {
    await this.#input.write(new TextEncoder().encode("\n"));
    return await this.#said();
  }

  /** What it says of itself once `fact` holds, or after `timeoutMs` on a machine at rest. */
  async settled(fact: (status: ProxyStatus) => boolean, timeoutMs: number): Promise<ProxyStatus> {
    const startMs = performance.now();
    for (;;) {
      const status = await this.status();
      if (fact(status) || performance.now() - startMs > timeoutMs * BUSY_TIMES) return status;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Stops it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input.close().catch(() => {});
    await this.#child.status;
    await this.#output.cancel();
  }

  async #said(): Promise<ProxyStatus> {
    let end = this.#text.indexOf("\n");
    while (end < 0) {
      const { value, done } = await this.#output.read();
      if (done) throw new Error(`The proxy ended after "${this.#text}"`);
      this.#text += value;
      end = this.#text.indexOf("\n");
    }
    const line = this.#text.slice(0, end);
    this.#text = this.#text.slice(end + 1);
    return JSON.parse(line);
  }
}
