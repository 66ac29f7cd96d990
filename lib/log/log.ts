/**
 * The log. Lines are buffered and written in batches, so that a line costs a push and not a system call; buffered lines
 * are written before an orderly end of the process.
 *
 * @module
 */

/** Severity of a line. */
export type LogLevel = "debug" | "info" | "warn" | "error";

/** Options of a log. */
export interface LogOptions {
  /**
   * Lowest level that is written; access lines have the level `info`.
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

/** Writes complete lines, as bytes, in order. */
export interface LogSink {
  (bytes: Uint8Array): Promise<void>;
  /** Reopens the file, if the sink writes to one. */
  reopen?(): void;
}

/** Buffers lines and writes them in batches. Owned by the program's entry point; drained last. */
export class Log {
  readonly format: "json" | "combined";
  readonly #threshold: number;
  readonly #sink: LogSink;
  #lines: string[] = [];
  #bufferedChars = 0;
  #unwritten = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #writing: Promise<void> = Promise.resolve();
  #dropped = 0;

  /** @param sink Destination of the batches; see {@linkcode openSink}. */
  constructor(sink: LogSink, options: LogOptions = {}) {
    this.#sink = sink;
    this.#threshold = LEVELS.indexOf(options.level ?? "info");
    this.format = options.format ?? "json";
  }

  /** Whether lines of `level` are written. */
  writes(level: LogLevel): boolean {
    return LEVELS.indexOf(level) >= this.#threshold;
  }

  /** Logs an event. `fields` are written in their order. */
  log(level: LogLevel, message: string, fields: Record<string, string | number | boolean> = {}): void {
    if (this.writes(level)) this.line(this.#text(level, message, fields));
  }

  #text(level: LogLevel, message: string, fields: Record<string, string | number | boolean>): string {
    const time = new Date().toISOString();
    if (this.format === "json") return JSON.stringify({ time, level, message, ...fields });
    let text = `${time} ${level} ${printable(message)}`;
    for (const [key, value] of Object.entries(fields)) text += ` ${key}=${JSON.stringify(value)}`;
    return text;
  }

  /** Adds one line, without its line terminator. Control characters in it are escaped. */
  line(text: string): void {
    // A blocked sink must not fill the memory: further lines are counted and dropped, and the count is logged later.
    if (this.#bufferedChars + this.#unwritten > LIMIT_CHARS) {
      this.#dropped++;
      return;
    }
    this.#lines.push(withoutControls(text));
    this.#bufferedChars += text.length + 1;
    if (this.#bufferedChars > BATCH_CHARS) this.#write();
    else this.#timer ??= setTimeout(() => this.#write(), BATCH_MS);
  }

  /** Writes complete lines, as bytes, that another log has buffered. */
  write(bytes: Uint8Array): void {
    if (this.#unwritten > LIMIT_CHARS) {
      for (const byte of bytes) if (byte === NEWLINE) this.#dropped++;
      return;
    }
    this.#write();
    this.#writeBytes(bytes, bytes.length);
  }

  /** Writes the buffered lines. */
  async flush(): Promise<void> {
    this.#write();
    await this.#writing;
  }

  /**
   * Writes the buffered lines, as long as the output accepts some of them at least every `stallMs`.
   *
   * @returns Bytes that were not written, because the reader of the output has stopped reading.
   */
  async drain(stallMs: number): Promise<number> {
    const flushed = this.flush();
    for (let before = Infinity; this.#unwritten > 0 && this.#unwritten < before;) {
      before = this.#unwritten;
      let timer: ReturnType<typeof setTimeout> | undefined;
      const stalled = new Promise<void>((resolve) => timer = setTimeout(resolve, stallMs));
      await Promise.race([flushed, stalled]);
      clearTimeout(timer);
    }
    return this.#unwritten;
  }

  /** Reopens the log file after the buffered lines are written: log rotation has moved it away. */
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
    const chars = this.#bufferedChars;
    this.#bufferedChars = 0;
    this.#writeBytes(encoder.encode(lines.join("\n") + "\n"), chars);
  }

  #writeBytes(bytes: Uint8Array, size: number): void {
    const queued = size + BATCH_OVERHEAD;
    this.#unwritten += queued;
    this.#writing = this.#writing.then(() => this.#sink(bytes)).catch(reportOnce).finally(() =>
      this.#unwritten -= queued
    );
  }
}

/**
 * Opens the destination of log lines.
 *
 * @param output `stdout`, `stderr`, or a path.
 * @throws {Error} If the file cannot be opened for appending.
 */
export function openSink(output: string): LogSink {
  if (output === "stdout" || output === "stderr") {
    const stream = output === "stdout" ? Deno.stdout : Deno.stderr;
    return (bytes) => writeAll(stream, bytes);
  }
  let file = Deno.openSync(output, { append: true, create: true });
  let checkedMs = Date.now();
  const sink = (bytes: Uint8Array) => {
    const nowMs = Date.now();
    if (nowMs - checkedMs >= CHECK_MS) {
      checkedMs = nowMs;
      file = reopened(file, output);
    }
    return writeAll(file, bytes);
  };
  return Object.assign(sink, { reopen: () => void (file = reopened(file, output)) });
}

/** How often the log file is checked for having been moved away, as log rotation does. */
const CHECK_MS = 1000;

// The old file stays in use if the new one cannot be opened: lines in a moved file are better than no lines.
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

/** A value for a line of text, with control characters escaped, which could forge lines or control a terminal. */
export function printable(text: string): string {
  // deno-lint-ignore no-control-regex
  return /[\x00-\x1f\x7f-\x9f\\]/.test(text)
    // deno-lint-ignore no-control-regex
    ? text.replace(/[\x00-\x1f\x7f-\x9f\\]/g, (char) => "\\x" + char.charCodeAt(0).toString(16).padStart(2, "0"))
    : text;
}

// Control characters, line separators (NEL, U+2028, U+2029) and marks that change the writing direction.
// deno-lint-ignore no-control-regex
const CONTROLS = /[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/;
const ALL_CONTROLS = new RegExp(CONTROLS, "g");

// In a JSON string the escape is the same character.
function withoutControls(line: string): string {
  if (!CONTROLS.test(line)) return line;
  return line.replace(ALL_CONTROLS, (char) => "\\u" + char.charCodeAt(0).toString(16).padStart(4, "0"));
}

const LEVELS: readonly LogLevel[] = ["debug", "info", "warn", "error"];
/** Memory that a queued batch takes besides its bytes. */
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

// A log that cannot be written can be reported on standard error only.
function reportOnce(error: unknown): void {
  if (reported) return;
  reported = true;
  try {
    const text = `bws: cannot write the log: ${error instanceof Error ? error.message : error}\n`;
    // Asynchronously, because the reader of standard error may have stopped reading. If that fails too, it cannot be
    // reported.
    Deno.stderr.write(encoder.encode(text)).catch(() => {});
  } catch {
    // Standard error is closed.
  }
}
