/**
 * The load generator, as a process that is kept, so that it is warm: what it takes to be compiled is in no latency.
 *
 * @module
 */

import { startPinned, stop } from "../pinned_process.ts";
import type { LoadOutcome, LoadPlan } from "./load_run.ts";

/** A load generator; it ends with `stopAll()`. */
export class LoadGenerator {
  readonly #cores: string;
  readonly #errorFile: string;
  #child: Deno.ChildProcess | undefined;
  #writer: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>> | undefined;
  #reader: ReadableStreamDefaultReader<string> | undefined;

  constructor(cores: string, folder: string) {
    this.#cores = cores;
    this.#errorFile = `${folder}/load.log`;
  }

  /**
   * Makes one load.
   *
   * @throws {Error} When the generator cannot, with what it said.
   */
  async run(plan: LoadPlan): Promise<LoadOutcome> {
    if (this.#child === undefined) this.#start();
    let line = "";
    try {
      await this.#writer!.write(new TextEncoder().encode(JSON.stringify(plan) + "\n"));
      while (!line.endsWith("\n")) {
        const { value, done } = await this.#reader!.read();
        if (done) throw new Error("it ended");
        line += value;
      }
    } catch (cause) {
      await stop(this.#child!);
      this.#child = undefined;
      const said = (await Deno.readTextFile(this.#errorFile)).trim().split("\n")[0];
      throw new Error(`the load generator failed: ${said || (cause as Error).message}`, { cause });
    }
    return JSON.parse(line);
  }

  #start(): void {
    const program = new URL("paced_load.ts", import.meta.url).pathname;
    const options = { pipes: "piped", errorFile: this.#errorFile } as const;
    this.#child = startPinned(this.#cores, Deno.execPath(), ["run", "-A", program], options);
    this.#writer = this.#child.stdin.getWriter();
    this.#reader = this.#child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }
}
