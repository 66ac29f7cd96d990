/**
 * What is measured: BWS behind one of the two listeners, in a process on a core of its own.
 *
 * @module
 */

import type { ConfigInput } from "../../lib/generation/config/config_types.ts";
import type { ListenerLimits } from "../../lib/listener/own/limits_schema.ts";
import { PROXY_CORE } from "../pinned_process.ts";
import { processorUs } from "../process_tree.ts";

/** Which listener. */
export type ListenerKind = "serve" | "own";

/** What a subject runs with. */
export interface SubjectOptions {
  /** Its config. */
  config: ConfigInput;
  /** Bounds of the own listener. */
  limits?: Partial<ListenerLimits>;
}

/** A process under measurement. */
export class Subject {
  /** Its port. */
  port = 0;
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #output: ReadableStreamDefaultReader<string>;

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#input = child.stdin.getWriter();
    this.#output = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** Starts one. */
  static async start(kind: ListenerKind, { config, limits = {} }: SubjectOptions): Promise<Subject> {
    const program = new URL("subject_program.ts", import.meta.url).pathname;
    const args = [kind, JSON.stringify(config), JSON.stringify(limits)];
    const child = new Deno.Command("taskset", {
      args: ["-c", PROXY_CORE, Deno.execPath(), "run", "-A", "--no-check", "--v8-flags=--expose-gc", program, ...args],
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const subject = new Subject(child);
    subject.port = await subject.#said();
    return subject;
  }

  /** Resident memory after a collection, in bytes. */
  async residentBytes(): Promise<number> {
    await this.#input.write(new TextEncoder().encode("\n"));
    return await this.#said();
  }

  /** Processor time so far, in microseconds. */
  async processorUs(): Promise<number> {
    return await processorUs(this.#child.pid);
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input.close().catch(() => {});
    await this.#child.status;
    await this.#output.cancel();
  }

  async #said(): Promise<number> {
    const { value } = await this.#output.read();
    if (value === undefined) throw new Error("The subject ended before it said anything");
    return Number(value);
  }
}
