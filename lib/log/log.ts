/**
 * The log: events of the server, and the lines that others write to its outputs. Buffered lines are written before an orderly
 * end of the process.
 *
 * @module
 */

import { LineWriter, type LostLines } from "./line_writer.ts";
import { reportTrouble } from "./log_trouble.ts";
import type { LogSink } from "./sink.ts";
import { printable, withoutControls } from "./printable.ts";

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
   * Destination of the sink, by its name in the config.
   *
   * @default {"stdout"}
   */
  output?: string;
  /**
   * Opens further outputs, by their names in the config.
   *
   * @default {lines for them go to the sink of the log}
   */
  open?: (output: string) => LogSink;
}

/** An output of lines besides the log's own. */
export interface OutputName {
  /** Its name in the config. */
  readonly output: string;
  /** Lines that stand at the beginning of a file, each with its line terminator. */
  readonly header?: string | undefined;
}

/** What an output has lost. */
export interface OutputLoss {
  readonly output: string;
  /** Lines that were lost since the start, because the output took none or failed. */
  readonly lost: number;
}

/** Writes events and gives access to all outputs. Owned by the program's entry point; drained last. */
export class Log {
  readonly format: "json" | "combined";
  readonly #output: string;
  readonly #threshold: number;
  readonly #open: ((output: string) => LogSink) | undefined;
  readonly #writer: LineWriter;
  /** Sinks by the output's name. */
  readonly #sinks = new Map<string, LogSink>();
  /** Writers by output and header. */
  readonly #writers = new Map<string, LineWriter>();

  /** @param sink Destination of the batches; see `openSink`. */
  constructor(sink: LogSink, options: LogOptions = {}) {
    this.#threshold = LEVELS.indexOf(options.level ?? "info");
    this.format = options.format ?? "json";
    this.#output = options.output ?? "stdout";
    this.#open = options.open;
    this.#sinks.set(this.#output, sink);
    this.#writer = new LineWriter(sink, {
      report: (lost) => this.#lossLine(this.#output, lost),
      onFailure: (cause) => reportTrouble("write the log to", this.#output, cause),
    });
    this.#writers.set(keyOf({ output: this.#output }), this.#writer);
  }

  /** Whether lines of `level` are written. */
  writes(level: LogLevel): boolean {
    return LEVELS.indexOf(level) >= this.#threshold;
  }

  /** Logs an event. `fields` are written in their order. */
  log(level: LogLevel, message: string, fields: Record<string, string | number | boolean> = {}): void {
    if (this.writes(level)) this.line(this.#eventLine(level, message, fields));
  }

  /** Adds one line, without its line terminator. Control characters in it are escaped. */
  line(text: string): void {
    this.#writer.line(withoutControls(text));
  }

  /** The writer of the log's own output. */
  get writer(): LineWriter {
    return this.#writer;
  }

  /**
   * The writer of an output, which is opened when it is first named and stays open.
   *
   * @throws {Error} If it cannot be opened.
   */
  writerOf({ output, header }: OutputName): LineWriter {
    const key = keyOf({ output, header });
    const known = this.#writers.get(key);
    if (known !== undefined) return known;
    if (this.#open === undefined) return this.#writer;
    const sink = this.#sinks.get(output) ?? this.#open(output);
    this.#sinks.set(output, sink);
    const writer = new LineWriter(sink, {
      header,
      report: (lost) => {
        this.line(this.#lossLine(output, lost));
        return undefined;
      },
      onFailure: (cause) => this.log("error", "Cannot write log lines", { output, cause }),
    });
    this.#writers.set(key, writer);
    return writer;
  }

  /** Writes complete lines, as bytes, that another log has buffered. */
  write(bytes: Uint8Array, name?: OutputName): void {
    (name === undefined ? this.#writer : this.writerOf(name)).write(bytes);
  }

  /** What each output has lost. */
  get losses(): OutputLoss[] {
    const byOutput = new Map<string, number>([...this.#sinks.keys()].map((output) => [output, 0]));
    for (const [key, { lost }] of this.#writers) {
      const output = key.split("\n", 1)[0];
      byOutput.set(output, (byOutput.get(output) ?? 0) + lost);
    }
    return [...byOutput].map(([output, lost]) => ({ output, lost }));
  }

  /** Writes the buffered lines. */
  async flush(): Promise<void> {
    await Promise.all([...this.#writers.values()].map((writer) => writer.flush()));
  }

  /**
   * Writes the buffered lines, as long as the outputs accept some of them at least every `stallMs`.
   *
   * @returns Bytes that were not written, because the reader of an output has stopped reading.
   */
  async drain(stallMs = STALL_MS): Promise<number> {
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

  /** Writes the buffered lines, as {@linkcode drain}, and closes all outputs. */
  async end(): Promise<void> {
    await this.drain();
    this.close();
  }

  /** Closes all outputs; lines that are not written are lost. */
  close(): void {
    for (const writer of this.#writers.values()) writer.close();
    for (const sink of this.#sinks.values()) sink.close?.();
  }

  /** Reopens log files after the buffered lines are written: log rotation has moved them away. */
  reopen(): void {
    for (const [key, writer] of this.#writers) {
      const sink = this.#sinks.get(key.split("\n", 1)[0]);
      writer.afterWriting(() => sink?.reopen?.());
    }
  }

  get #unwritten(): number {
    let bytes = 0;
    for (const writer of this.#writers.values()) bytes += writer.unwritten;
    return bytes;
  }

  #lossLine(output: string, { count, cause }: LostLines): string {
    return this.#eventLine("warn", "Log lines were dropped", {
      ...(output === this.#output ? {} : { output }),
      ...(cause === undefined ? {} : { cause }),
      count,
    });
  }

  #eventLine(level: LogLevel, message: string, fields: Record<string, string | number | boolean>): string {
    const time = new Date().toISOString();
    if (this.format === "json") return JSON.stringify({ time, level, message, ...fields });
    let text = `${time} ${level} ${printable(message)}`;
    for (const [key, value] of Object.entries(fields)) text += ` ${key}=${JSON.stringify(value)}`;
    return text;
  }
}

function keyOf({ output, header = "" }: OutputName): string {
  return `${output}\n${header}`;
}

/** Time without progress of an output after which its lines are given up. */
const STALL_MS = 3000;
const LEVELS: readonly LogLevel[] = ["debug", "info", "warn", "error"];
