/**
 * Where log lines go. Lines are gathered and written in batches, so that a line costs a push and not a system call; what
 * was gathered is never lost on an orderly end.
 *
 * @module
 */

/** How much it matters. */
export type LogLevel = "debug" | "info" | "warn" | "error";

/** How lines look. */
export interface LogOptions {
  /**
   * The least that is written; access lines count as `info`.
   *
   * @default {"info"}
   */
  level?: LogLevel;
  /**
   * One JSON object a line, or plain text (and the combined format for access lines).
   *
   * @default {"json"}
   */
  format?: "json" | "combined";
  /**
   * `stdout`, `stderr`, or the path of a file that is appended to.
   *
   * @default {"stdout"}
   */
  output?: string;
}

/** Takes whole lines as bytes, in order. */
export interface LogSink {
  (bytes: Uint8Array): Promise<void>;
  /** Opens the file anew, where there is one. */
  reopen?(): void;
}

/** Gathers lines and writes them in batches. Owned by whoever started the program; closed last. */
export class Log {
  /** How lines look. */
  readonly format: "json" | "combined";
  readonly #threshold: number;
  readonly #sink: LogSink;
  #lines: string[] = [];
  #gathered = 0;
  #unwritten = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #writing: Promise<void> = Promise.resolve();
  #dropped = 0;

  /** @param sink Where batches go; see {@linkcode openSink}. */
  constructor(sink: LogSink, options: LogOptions = {}) {
    this.#sink = sink;
    this.#threshold = LEVELS.indexOf(options.level ?? "info");
    this.format = options.format ?? "json";
  }

  /** Whether lines of `level` are written at all. */
  writes(level: LogLevel): boolean {
    return LEVELS.indexOf(level) >= this.#threshold;
  }

  /** Says what happened. `fields` are plain values, in order. */
  say(level: LogLevel, message: string, fields: Record<string, string | number | boolean> = {}): void {
    if (this.writes(level)) this.line(this.#text(level, message, fields));
  }

  #text(level: LogLevel, message: string, fields: Record<string, string | number | boolean>): string {
    const time = new Date().toISOString();
    if (this.format === "json") return JSON.stringify({ time, level, message, ...fields });
    let text = `${time} ${level} ${printable(message)}`;
    for (const [key, value] of Object.entries(fields)) text += ` ${key}=${JSON.stringify(value)}`;
    return text;
  }

  /** Adds one line, without its line end. Control characters in it are escaped. */
  line(text: string): void {
    // A sink that stands still must not fill the memory: lines are counted instead, and the count is said later.
    if (this.#gathered + this.#unwritten > LIMIT_CHARS) {
      this.#dropped++;
      return;
    }
    this.#lines.push(withoutControls(text));
    this.#gathered += text.length + 1;
    if (this.#gathered > BATCH_CHARS) this.#write();
    else this.#timer ??= setTimeout(() => this.#write(), BATCH_MS);
  }

  /** Writes whole lines, as bytes, that another log has gathered. */
  write(bytes: Uint8Array): void {
    if (this.#unwritten > LIMIT_CHARS) {
      for (const byte of bytes) if (byte === NEWLINE) this.#dropped++;
      return;
    }
    this.#write();
    this.#hand(bytes, bytes.length);
  }

  /** Writes what is gathered. */
  async flush(): Promise<void> {
    this.#write();
    await this.#writing;
  }

  /**
   * Writes what is gathered, as long as some of it is taken at least every `stallMs`.
   *
   * @returns Bytes that were not written: whoever reads the output has stopped to.
   */
  async drain(stallMs: number): Promise<number> {
    const flushed = this.flush();
    for (let before = Infinity; this.#unwritten > 0 && this.#unwritten < before;) {
      before = this.#unwritten;
      let timer: ReturnType<typeof setTimeout> | undefined;
      const late = new Promise<void>((resolve) => timer = setTimeout(resolve, stallMs));
      await Promise.race([flushed, late]);
      clearTimeout(timer);
    }
    return this.#unwritten;
  }

  /** Opens the log file anew, behind the lines that are gathered: whoever rotates logs has moved it away. */
  reopen(): void {
    this.#write();
    this.#writing = this.#writing.then(() => this.#sink.reopen?.());
  }

  #write(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#lines.length === 0) return;
    if (this.#dropped > 0) {
      this.#lines.push(this.#text("warn", "Log lines were dropped", { count: this.#dropped }));
      this.#dropped = 0;
    }
    const lines = this.#lines;
    this.#lines = [];
    const chars = this.#gathered;
    this.#gathered = 0;
    this.#hand(encoder.encode(lines.join("\n") + "\n"), chars);
  }

  #hand(bytes: Uint8Array, size: number): void {
    const taken = size + BATCH_OVERHEAD;
    this.#unwritten += taken;
    this.#writing = this.#writing.then(() => this.#sink(bytes)).catch(reportOnce).finally(() =>
      this.#unwritten -= taken
    );
  }
}

/**
 * Opens a place for log lines.
 *
 * @param output `stdout`, `stderr`, or a path.
 * @throws {Error} When the file cannot be opened for appending.
 */
export function openSink(output: string): LogSink {
  if (output === "stdout" || output === "stderr") {
    const stream = output === "stdout" ? Deno.stdout : Deno.stderr;
    return (bytes) => writeAll(stream, bytes);
  }
  let file = Deno.openSync(output, { append: true, create: true });
  let lookedMs = Date.now();
  const sink = (bytes: Uint8Array) => {
    const nowMs = Date.now();
    if (nowMs - lookedMs >= LOOK_MS) {
      lookedMs = nowMs;
      file = reopened(file, output);
    }
    return writeAll(file, bytes);
  };
  return Object.assign(sink, { reopen: () => void (file = reopened(file, output)) });
}

/** How often it is looked whether a log file was moved away, as those do that rotate logs. */
const LOOK_MS = 1000;

// The old one goes on where the new one cannot be opened: lines in a moved file are better than none.
function reopened(file: Deno.FsFile, path: string): Deno.FsFile {
  try {
    const { ino, dev } = file.statSync();
    const now = statOrNone(path);
    if (now !== undefined && now.ino === ino && now.dev === dev) return file;
    const fresh = Deno.openSync(path, { append: true, create: true });
    file.close();
    return fresh;
  } catch (error) {
    reportOnce(error);
    return file;
  }
}

function statOrNone(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(path);
  } catch {
    return undefined;
  }
}

/** A value for a line of text: control characters, which could forge lines or drive a terminal, are escaped. */
export function printable(text: string): string {
  // deno-lint-ignore no-control-regex
  return /[\x00-\x1f\x7f-\x9f\\]/.test(text)
    // deno-lint-ignore no-control-regex
    ? text.replace(/[\x00-\x1f\x7f-\x9f\\]/g, (char) => "\\x" + char.charCodeAt(0).toString(16).padStart(2, "0"))
    : text;
}

// Besides the controls those that end lines (NEL, U+2028, U+2029) and those that turn text around.
// deno-lint-ignore no-control-regex
const CONTROLS = /[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/;
const ALL_CONTROLS = new RegExp(CONTROLS, "g");

// The escape means the same character within a string of JSON.
function withoutControls(line: string): string {
  if (!CONTROLS.test(line)) return line;
  return line.replace(ALL_CONTROLS, (char) => "\\u" + char.charCodeAt(0).toString(16).padStart(4, "0"));
}

const LEVELS: readonly LogLevel[] = ["debug", "info", "warn", "error"];
/** What a batch that waits takes besides its bytes. */
const BATCH_OVERHEAD = 512;
const NEWLINE = 0x0a;
const BATCH_MS = 100;
const BATCH_CHARS = 64 * 1024;
const LIMIT_CHARS = 16 * 1024 * 1024;
const encoder = new TextEncoder();
let reported = false;

async function writeAll(stream: { write(bytes: Uint8Array): Promise<number> }, bytes: Uint8Array): Promise<void> {
  let rest = bytes;
  while (rest.length > 0) rest = rest.subarray(await stream.write(rest));
}

// A log that cannot be written has only one other place to say so.
function reportOnce(error: unknown): void {
  if (reported) return;
  reported = true;
  try {
    const text = `bws: cannot write the log: ${error instanceof Error ? error.message : error}\n`;
    // Not in this thread: whoever reads standard error may have stopped to. When it is gone as well, nobody is left to tell.
    Deno.stderr.write(encoder.encode(text)).catch(() => {});
  } catch {
    // Standard error is closed.
  }
}
