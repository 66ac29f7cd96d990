/**
 * BWS on a free port of loopback, with its log at hand.
 *
 * @module
 */

import { resolveConfig } from "../../lib/generation/config/resolve_config.ts";
import { Log } from "../../lib/log/log.ts";
import { type RunningServer, startServer } from "../../lib/process/server.ts";
import { until } from "./condition.ts";
import { configOf, type RunningProxyOptions } from "./running_proxy.ts";

/** A line of the log. */
export type LogLine = Readonly<Record<string, unknown>>;

/** A proxy that runs and logs. */
export class LoggedProxy {
  /** Its log so far. */
  readonly lines: LogLine[];
  /** What runs. */
  readonly server: RunningServer;

  private constructor(server: RunningServer, lines: LogLine[]) {
    this.server = server;
    this.lines = lines;
  }

  /** Starts one. */
  static async start(options: RunningProxyOptions): Promise<LoggedProxy> {
    const lines: LogLine[] = [];
    const log = new Log(async (bytes) => {
      for (const line of new TextDecoder().decode(bytes).split("\n")) if (line !== "") lines.push(JSON.parse(line));
    });
    const { config } = resolveConfig(configOf(options));
    return new LoggedProxy(await startServer(config, { log }), lines);
  }

  /** Its port. */
  get port(): number {
    return this.server.addresses[0].port;
  }

  /** The access line of the request for `path`, once it is there. */
  async accessLine(path: string): Promise<LogLine> {
    const find = () => this.lines.find((line) => line.message === "request" && line.path === path);
    await until(`an access line of ${path}`, () => find() !== undefined);
    return find() as LogLine;
  }

  /** Stops it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.stop();
  }
}
