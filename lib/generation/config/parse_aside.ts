/**
 * Parses a config in a thread of its own, so that a running server is not blocked: half a megabyte of TOML takes seconds.
 *
 * @module
 */

import type { ParseConfigOptions } from "../../config/read_config.ts";
import { type ConfigReport, parseConfig } from "./parse_config.ts";

/** Options of {@linkcode parseConfigAside}: those of `parseConfig` that can be sent to a thread. */
export type ParseAsideOptions = Omit<ParseConfigOptions, "env">;

/** The message to the thread. */
export interface ParseRequest {
  /** The config. */
  readonly text: string;
  /** How to read it. */
  readonly options: ParseAsideOptions;
}

/** The messages of the thread: that it has started, then the result. */
export type ParseMessage = "ready" | ConfigReport;

/** Shorter texts are parsed faster than a thread starts. */
const MIN_TEXT_LENGTH = 16 * 1024;

/**
 * As `parseConfig`, with the environment of the process. If no thread can be started, as in a program that was bundled without
 * its module, the text is parsed in this thread.
 *
 * @throws {Error} The thread failed.
 */
export async function parseConfigAside(text: string, options: ParseAsideOptions = {}): Promise<ConfigReport> {
  if (text.length < MIN_TEXT_LENGTH) return parseConfig(text, options);
  return await inThread({ text, options }) ?? parseConfig(text, options);
}

async function inThread(request: ParseRequest): Promise<ConfigReport | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<ConfigReport | undefined>();
  let worker: Worker;
  try {
    worker = new Worker(new URL("./parse_worker.ts", import.meta.url).href, { type: "module", name: "bws config" });
  } catch {
    return undefined;
  }
  let ready = false;
  worker.onmessage = ({ data }: MessageEvent<ParseMessage>) => {
    if (data !== "ready") return resolve(data);
    ready = true;
    worker.postMessage(request);
  };
  worker.onerror = (event) => {
    event.preventDefault();
    if (ready) reject(new Error(`Cannot parse the config: ${event.message}`));
    else resolve(undefined);
  };
  try {
    return await promise;
  } finally {
    worker.terminate();
  }
}
