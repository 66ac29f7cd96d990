/**
 * The program as its users start it: a process with arguments, outputs, signals and an exit code.
 *
 * @module
 */

/** The program's first module. */
export const MAIN: string = new URL("../../main.ts", import.meta.url).href;

/** A process that says nothing for so long hangs. */
const SILENCE_MS = 120_000;

/** How a process ended. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Options of {@linkcode BwsProcess}. */
export interface BwsProcessOptions {
  /**
   * The module to run.
   *
   * @default {MAIN}
   */
  module?: string;
  /** Working folder. */
  cwd?: string;
  /** Variables besides those of this process. */
  env?: Record<string, string>;
  /**
   * Most files that it may have open.
   *
   * @default {as many as this process}
   */
  openFiles?: number;
}

/** A process that runs; `await using` ends it. */
export class BwsProcess {
  readonly #child: Deno.ChildProcess;
  readonly #stdout: Promise<void>;
  readonly #stderr: Promise<void>;
  readonly #text = { stdout: "", stderr: "" };
  #onText: () => void = () => {};
  #closed = false;

  /** Starts it. */
  constructor(args: readonly string[], options: BwsProcessOptions = {}) {
    const { module = MAIN, cwd, env, openFiles } = options;
    const config = new URL("../../deno.json", import.meta.url).pathname;
    const command = [Deno.execPath(), "run", "--no-check", "-A", "--config", config, module, ...args];
    if (openFiles !== undefined) command.unshift("sh", "-c", `ulimit -n ${openFiles}; exec "$@"`, "sh");
    this.#child = new Deno.Command(command[0], {
      args: command.slice(1),
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      cwd,
      env: { NO_COLOR: "1", ...env },
    }).spawn();
    this.#stdout = this.#gather("stdout");
    this.#stderr = this.#gather("stderr");
  }

  /** Waits until `pattern` stands in an output; fails when the process ends before. */
  async until(pattern: RegExp, output: "stdout" | "stderr" = "stderr"): Promise<RegExpExecArray> {
    for (;;) {
      const found = pattern.exec(this.#text[output]);
      if (found !== null) return found;
      if (this.#closed) throw new Error(`bws ended without ${pattern}: ${JSON.stringify(this.#text)}`);
      await this.#moreText(pattern);
    }
  }

  /** What it has written so far. */
  get text(): { readonly stdout: string; readonly stderr: string } {
    return this.#text;
  }

  /** Its number among the processes. */
  get pid(): number {
    return this.#child.pid;
  }

  /** Sends a signal. */
  signal(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** Waits for its end. */
  async ended(): Promise<Ended> {
    const { code } = await this.#child.status;
    await Promise.all([this.#stdout, this.#stderr]);
    return { code, ...this.#text };
  }

  /** Ends it, if it still runs. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch (error) {
      // It has ended already.
      if (!(error instanceof TypeError)) throw error;
    }
    await this.ended();
  }

  #moreText(pattern: RegExp): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`Nothing more came, but no ${pattern}: ${JSON.stringify(this.#text)}`)),
        SILENCE_MS,
      );
      this.#onText = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async #gather(output: "stdout" | "stderr"): Promise<void> {
    for await (const text of this.#child[output].pipeThrough(new TextDecoderStream())) {
      this.#text[output] += text;
      this.#onText();
    }
    this.#closed = true;
    this.#onText();
  }
}

/** Runs `bws` to its end. */
export async function bws(args: readonly string[], options?: BwsProcessOptions): Promise<Ended> {
  await using process = new BwsProcess(args, options);
  return await process.ended();
}
