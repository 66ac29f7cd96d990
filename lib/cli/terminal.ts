/**
 * The output of commands: results on standard output, everything else on standard error.
 *
 * @module
 */

import { settledWithin } from "../state/settled_within.ts";

/** Styles that a terminal can show. */
export type Style = "bold" | "dim" | "red" | "yellow" | "green" | "cyan";

/** The two outputs of a command. */
export interface Terminal {
  /** Whether colours are wanted on standard output. */
  readonly outputColored: boolean;
  /** Whether colours are wanted on standard error. */
  readonly errorColored: boolean;
  /** Writes a result to standard output; adds the line end. */
  print(text: string): void;
  /** Writes a message, such as a problem, to standard error; adds the line end. */
  printError(text: string): void;
  /**
   * As {@linkcode printError}, without blocking the thread if the reader of standard error has stopped reading. Settles when
   * the text is written, or after a second.
   */
  printErrorLater(text: string): Promise<void>;
}

/** The terminal of this process. No colours in pipes and files, nor with `NO_COLOR`. */
export function processTerminal(): Terminal {
  return {
    outputColored: !Deno.noColor && Deno.stdout.isTerminal(),
    errorColored: !Deno.noColor && Deno.stderr.isTerminal(),
    print: (text) => write(Deno.stdout, text),
    printError: (text) => write(Deno.stderr, text),
    printErrorLater: async (text) => {
      const written = writeAll(Deno.stderr, encoder.encode(text + "\n")).catch(() => {});
      await settledWithin(written, 1000);
    },
  };
}

/** `text` in a style, where `colored`. */
export function paint(colored: boolean, style: Style, text: string): string {
  return colored ? `\x1b[${CODES[style]}m${text}\x1b[0m` : text;
}

const CODES: Readonly<Record<Style, number>> = { bold: 1, dim: 2, red: 31, yellow: 33, green: 32, cyan: 36 };
const encoder = new TextEncoder();

async function writeAll(stream: { write(bytes: Uint8Array): Promise<number> }, bytes: Uint8Array): Promise<void> {
  for (let rest = bytes; rest.length > 0;) rest = rest.subarray(await stream.write(rest));
}

function write(stream: { writeSync(bytes: Uint8Array): number }, text: string): void {
  let rest = encoder.encode(text + "\n");
  try {
    while (rest.length > 0) rest = rest.subarray(stream.writeSync(rest));
  } catch (error) {
    // The reader has closed the pipe, as `head` does.
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}
