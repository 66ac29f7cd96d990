/**
 * Full-screen use of the terminal: the alternate screen and raw keys. The terminal is restored at the end.
 *
 * @module
 */

const encoder = new TextEncoder();
const ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l";
const LEAVE = "\x1b[?7h\x1b[?25h\x1b[?1049l";

/** A key that was pressed: its character, or `up`, `down`, `page-up`, `page-down`, `first`, `last`, `escape`. */
export type Key = string;

/** The terminal of this process in full-screen mode. `using` restores it. */
export class Screen {
  readonly #restore = () => this[Symbol.dispose]();
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #taken = true;
  #last: readonly string[] = [];

  /** Switches to full-screen mode. Standard input and output must be terminals. */
  constructor() {
    this.#reader = Deno.stdin.readable.getReader();
    // Also when the program ends unexpectedly.
    addEventListener("unload", this.#restore);
    Deno.stdin.setRaw(true);
    write(ENTER);
  }

  /** Size in characters. */
  get size(): { columns: number; rows: number } {
    try {
      const { columns, rows } = Deno.consoleSize();
      return { columns: Math.max(20, columns), rows: Math.max(5, rows) };
    } catch {
      return { columns: 80, rows: 24 };
    }
  }

  /** Shows lines; lines that have not changed are not written again. */
  show(lines: readonly string[]): void {
    if (!this.#taken) return;
    let text = "";
    for (let row = 0; row < Math.max(lines.length, this.#last.length); row++) {
      const line = lines[row] ?? "";
      // Erased before the text, not after it: after a line that fills the row the cursor is still on its last character.
      if (line !== this.#last[row]) text += `\x1b[${row + 1};1H\x1b[2K${line}\x1b[0m`;
    }
    this.#last = lines;
    // As one synchronised update: terminals that support these never show a part of it.
    if (text !== "") write(`\x1b[?2026h${text}\x1b[?2026l`);
  }

  /** Makes the next `show` write all lines, for example after a change of size. */
  forget(): void {
    this.#last = [];
    if (this.#taken) write("\x1b[2J");
  }

  /** Keys, until the input ends. */
  async *keys(): AsyncGenerator<Key, void, void> {
    const decoder = new TextDecoder();
    for (;;) {
      const { done, value } = await this.#reader.read();
      if (done) return;
      yield* keysOf(decoder.decode(value, { stream: true }));
    }
  }

  /** Restores the terminal. */
  [Symbol.dispose](): void {
    if (!this.#taken) return;
    this.#taken = false;
    removeEventListener("unload", this.#restore);
    write(LEAVE);
    try {
      Deno.stdin.setRaw(false);
    } catch {
      // The terminal is closed.
    }
    this.#reader.cancel().catch(() => {});
  }
}

/** The keys that a terminal sent as `text`. */
export function keysOf(text: string): Key[] {
  const keys: Key[] = [];
  // deno-lint-ignore no-control-regex
  for (const [key] of text.matchAll(/\x1b[[O][0-9;]*[A-Za-z~]|\x1b|[^]/gu)) keys.push(NAMES[key] ?? key);
  return keys.filter((key) => key.length === 1 || !key.startsWith("\x1b"));
}

const NAMES: Readonly<Record<string, Key>> = {
  ...{ "\x1b[A": "up", "\x1bOA": "up", k: "up", "\x1b[B": "down", "\x1bOB": "down", j: "down" },
  ...{ "\x1b[5~": "page-up", "\x1b[6~": "page-down", g: "first", "\x1b[H": "first", G: "last", "\x1b[F": "last" },
  ...{ "\x1b": "escape", "\x03": "q", Q: "q" },
};

function write(text: string): void {
  let rest = encoder.encode(text);
  try {
    while (rest.length > 0) rest = rest.subarray(Deno.stdout.writeSync(rest));
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}
