/**
 * Buffers lines and writes them to an output in batches, so that a line costs some bytes in memory and not a system call.
 *
 * @module
 */

import type { AccessLevel } from "./access_line.ts";
import { LineBatch } from "./line_batch.ts";
import { linesIn, LinesLost, type LogSink, OutputAway } from "./sink.ts";

/** What a {@linkcode LineWriter} has lost. */
export interface LostLines {
  /** Lines that were lost since the last report. */
  readonly count: number;
  /** Why writing failed; undefined where the output was too slow. */
  readonly cause: string | undefined;
}

/** Options of {@linkcode LineWriter}. */
export interface LineWriterOptions {
  /** Lines that stand at the beginning of a file, each with its line terminator. */
  readonly header?: string | undefined;
  /**
   * Reports lost lines once the output takes lines again.
   *
   * @returns A line that is written in their place; undefined where the report goes elsewhere.
   */
  readonly report: (lost: LostLines) => string | undefined;
  /** Notified of the first failure, and of the first after a success. */
  readonly onFailure: (cause: string) => void;
}

/** Writes one line of a record into a batch. */
export type LineForm<Record> = (record: Record, level: AccessLevel, batch: LineBatch) => void;

/** Writes lines to one output. Owned by its log. */
export class LineWriter {
  readonly #sink: LogSink;
  readonly #options: LineWriterOptions;
  readonly #batch = new LineBatch();
  #unwritten = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #writing: Promise<void> = Promise.resolve();
  /** Lines that were lost and not yet reported. */
  #lost = 0;
  #cause: string | undefined;
  #failing = false;
  #closed = false;
  #wake = () => {};
  /** Lines that were lost since the start, because the output took none or failed. */
  lost = 0;

  /** @param sink Takes the batches. */
  constructor(sink: LogSink, options: LineWriterOptions) {
    this.#sink = sink;
    this.#options = options;
  }

  /** Adds one line, without its line terminator and without control characters. */
  line(text: string): void {
    if (this.#full()) return;
    this.#batch.text(text);
    this.#ended();
  }

  /** Adds the line that `form` writes of `record`, without its line terminator and without control characters. */
  lineOf<Record>(form: LineForm<Record>, record: Record, level: AccessLevel): void {
    if (this.#full()) return;
    const { length } = this.#batch;
    try {
      form(record, level, this.#batch);
    } catch (error) {
      this.#batch.cut(length);
      throw error;
    }
    this.#ended();
  }

  /** Writes complete lines, as bytes, that another writer has buffered. */
  write(bytes: Uint8Array): void {
    if (this.#unwritten > LIMIT_BYTES) {
      this.#lose(linesIn(bytes));
      return;
    }
    this.#write();
    this.#writeBytes(bytes);
  }

  /** Writes the buffered lines. */
  async flush(): Promise<void> {
    this.#write();
    await this.#writing;
  }

  /** Bytes that are neither written nor lost. */
  get unwritten(): number {
    return this.#unwritten;
  }

  /** Calls `then` once the buffered lines are written. */
  afterWriting(then: () => void): void {
    this.#write();
    this.#writing = this.#writing.then(then);
  }

  /** Gives up an output that is away: its lines are lost. */
  close(): void {
    this.#closed = true;
    this.#wake();
  }

  /** Whether a line is lost: a blocked sink must not fill the memory. */
  #full(): boolean {
    if (this.#batch.length + this.#unwritten <= LIMIT_BYTES) return false;
    this.#lose(1);
    return true;
  }

  #ended(): void {
    this.#batch.byte(NEWLINE);
    if (this.#batch.length > BATCH_BYTES) this.#write();
    else this.#timer ??= setTimeout(() => this.#write(), BATCH_MS);
  }

  #write(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#batch.length === 0) return;
    if (this.#lost > 0 && !this.#failing) this.#report();
    this.#writeBytes(this.#batch.take());
  }

  #report(): void {
    const line = this.#options.report({ count: this.#lost, cause: this.#cause });
    this.#lost = 0;
    this.#cause = undefined;
    if (line !== undefined) this.#batch.text(line + "\n");
  }

  #writeBytes(bytes: Uint8Array): void {
    const queued = bytes.length + BATCH_OVERHEAD;
    this.#unwritten += queued;
    this.#writing = this.#writing.then(() => this.#deliver(bytes)).finally(() => this.#unwritten -= queued);
  }

  async #deliver(bytes: Uint8Array): Promise<void> {
    for (let rest = bytes, pauseMs = FIRST_PAUSE_MS;; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      try {
        await this.#sink(rest, this.#options.header);
        this.#failing = false;
        return;
      } catch (error) {
        this.#cause = error instanceof Error ? error.message : String(error);
        if (!this.#failing) this.#options.onFailure(this.#cause);
        this.#failing = true;
        if (!(error instanceof OutputAway) || this.#closed) {
          return this.#lose(error instanceof LinesLost ? error.count : linesIn(rest));
        }
        rest = error.rest;
      }
      await this.#pause(pauseMs);
    }
  }

  /** Waits before the output is tried again; it does not keep the process alive. */
  async #pause(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    Deno.unrefTimer(timer as unknown as number);
    this.#wake = resolve;
    await promise;
    clearTimeout(timer);
  }

  #lose(count: number): void {
    this.#lost += count;
    this.lost += count;
  }
}

/** Memory that a queued batch takes besides its bytes. */
const BATCH_OVERHEAD = 512;
const BATCH_MS = 100;
/** Pauses before an output that is away is tried again. */
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5000;
const BATCH_BYTES = 64 * 1024;
const LIMIT_BYTES = 16 * 1024 * 1024;
const NEWLINE = 0x0a;
