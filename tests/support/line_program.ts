/**
 * A program of another maker, or of ours, that talks in lines on its standard streams.
 *
 * @module
 */

/** A program that runs. */
export class LineProgram {
  /** Its process. */
  readonly pid: number;
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #output: ReadableStreamDefaultReader<string>;
  #text = "";
  #ended = false;

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.pid = child.pid;
    this.#input = child.stdin.getWriter();
    this.#output = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** Starts one; undefined when there is no such program. Its complaints are shown. */
  static start(command: string, args: string[]): LineProgram | undefined {
    try {
      return new LineProgram(
        new Deno.Command(command, { args, stdin: "piped", stdout: "piped", stderr: "inherit" }).spawn(),
      );
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  }

  /** Runs a file of this folder. */
  static startOwn(file: string, args: string[] = []): LineProgram {
    const path = new URL(file, import.meta.url).pathname;
    const program = LineProgram.start(Deno.execPath(), ["run", "-A", "--no-check", path, ...args]);
    if (program === undefined) throw new Error(`Cannot run ${path}: ${Deno.execPath()} is missing`);
    return program;
  }

  /** Runs a module's text in Node; undefined when there is no Node. */
  static startNode(source: string, args: string[] = []): LineProgram | undefined {
    return LineProgram.start("node", ["--input-type=module", "-e", source, "--", ...args]);
  }

  /**
   * The next line that it says.
   *
   * @throws {Error} When it ends instead.
   */
  async line(): Promise<string> {
    for (;;) {
      const end = this.#text.indexOf("\n");
      if (end >= 0) {
        const line = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 1);
        return line;
      }
      const { value, done } = await this.#output.read();
      if (done) throw new Error(`The program ended after "${this.#text}"`);
      this.#text += value;
    }
  }

  /** Says a line to it. */
  async tell(line: string): Promise<void> {
    await this.#input.write(new TextEncoder().encode(`${line}\n`));
  }

  /** Ends it without a word, and waits until it is gone. */
  async kill(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // Gone already.
    }
    await this.#child.status;
    await this.#input.close().catch(() => {});
    await this.#output.cancel();
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}
