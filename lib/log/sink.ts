/**
 * The contract of an output of log lines.
 *
 * @module
 */

/** Writes complete lines, as bytes, in order. */
export interface LogSink {
  /**
   * Writes lines.
   *
   * @param header Lines that stand at the beginning of a file, each with its line terminator.
   * @returns Settles when they are written; rejects with {@linkcode OutputAway} when they can be offered again, else when
   * they are lost.
   */
  (bytes: Uint8Array, header?: string): Promise<void>;
  /** Reopens the file, if the sink writes to one. */
  reopen?(): void;
  /** Closes the file or the connection. */
  close?(): void;
}

/** Some lines of a batch were lost, and the others written. */
export class LinesLost extends Error {
  override name = "LinesLost";
  /** How many lines. */
  readonly count: number;

  /** @param cause Why. */
  constructor(count: number, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.count = count;
  }
}

/** The output takes nothing for now: the lines that it has not taken are offered again. */
export class OutputAway extends Error {
  override name = "OutputAway";
  /** The lines that were not taken. */
  readonly rest: Uint8Array;

  /** @param cause Why. */
  constructor(rest: Uint8Array, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.rest = rest;
  }
}

/** The number of lines in a batch. */
export function linesIn(bytes: Uint8Array): number {
  let count = 0;
  for (const byte of bytes) if (byte === NEWLINE) count++;
  return count;
}

const NEWLINE = 0x0a;
