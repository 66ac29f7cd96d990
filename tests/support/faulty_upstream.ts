/**
 * An upstream in a process of its own, and all that may befall it.
 *
 * @module
 */

import { LineProgram } from "./line_program.ts";

/** A blow: what it does, and what ends it. */
export type Fault = "kill" | "stop" | "slow" | "status" | "reset" | "refuse" | "black hole";

/** Late answers of a slow upstream, in milliseconds. */
export const SLOW_MS = 300;
/** A connection of loopback that is not there after so long is not taken. */
const DIAL_MS = 100;
/** More than any backlog that a listener has by default. */
const MOST_DIALS = 5000;

/** An upstream. */
export class FaultyUpstream {
  /** What it answers with. */
  readonly name: string;
  /** Its port, also after it came back. */
  readonly port: number;
  readonly #file: string;
  readonly #fillers: Deno.Conn[] = [];
  #program: LineProgram;

  private constructor(name: string, port: number, file: string, program: LineProgram) {
    this.name = name;
    this.port = port;
    this.#file = file;
    this.#program = program;
  }

  /** Starts one on a free port. */
  static async start(name: string): Promise<FaultyUpstream> {
    const file = await Deno.makeTempFile({ prefix: `bws-${name}-` });
    const program = run(name, 0, file);
    return new FaultyUpstream(name, Number(await program.line()), file, program);
  }

  /** Its `url` for a config. */
  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** How often it did the POST of each id, in all its lives. */
  get done(): Map<string, number> {
    const done = new Map<string, number>();
    for (const id of Deno.readTextFileSync(this.#file).split("\n")) {
      if (id !== "") done.set(id, (done.get(id) ?? 0) + 1);
    }
    return done;
  }

  /** Tells its program what to do from now on. */
  async tell(line: string): Promise<void> {
    await this.#program.tell(line);
    const said = await this.#program.line();
    if (said !== "ok") throw new Error(`The upstream said "${said}", expected "ok"`);
  }

  /** Strikes it. */
  async suffer(fault: Fault): Promise<void> {
    if (fault === "kill") return await this.#program.kill();
    if (fault === "slow") return await this.tell(`slow ${SLOW_MS}`);
    if (fault === "status") return await this.tell("status 500");
    if (fault !== "stop" && fault !== "black hole") return await this.tell(fault);
    Deno.kill(this.#program.pid, "SIGSTOP");
    if (fault === "black hole") await this.#fill();
  }

  /** Ends what it suffers from. */
  async recover(fault: Fault): Promise<void> {
    if (fault === "kill") return await this.#start();
    if (fault !== "stop" && fault !== "black hole") return await this.tell("well");
    for (const filler of this.#fillers.splice(0)) filler.close();
    Deno.kill(this.#program.pid, "SIGCONT");
  }

  /** Lets it finish what it has, and starts it again. */
  async restart(): Promise<void> {
    await this.tell("leave");
    // It says nothing more.
    await this.#program.line().catch(() => {});
    await this.#program.kill();
    await this.#start();
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const filler of this.#fillers) filler.close();
    await this.#program.kill();
    await Deno.remove(this.#file);
  }

  async #start(): Promise<void> {
    this.#program = run(this.name, this.port, this.#file);
    await this.#program.line();
  }

  // Once the backlog is full the system answers no more, and who dials waits.
  async #fill(): Promise<void> {
    for (let dial = 0; dial < MOST_DIALS; dial++) {
      try {
        const signal = AbortSignal.timeout(DIAL_MS);
        this.#fillers.push(await Deno.connect({ hostname: "127.0.0.1", port: this.port, signal }));
      } catch {
        return;
      }
    }
    throw new Error(`Port ${this.port} still takes connections after ${MOST_DIALS}`);
  }
}

function run(name: string, port: number, file: string): LineProgram {
  return LineProgram.startOwn("faulty_upstream_program.ts", [name, String(port), file]);
}
