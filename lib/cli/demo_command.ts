/**
 * `bws demo`: starts the demo, prints its address, and stops it. The demo itself is not part of the published package.
 *
 * @module
 */

import { Log } from "../log/log.ts";
import { openSink } from "../log/open_sink.ts";
import { logUncaughtErrors } from "../log/uncaught_errors.ts";
import { VERSION } from "../version.ts";
import { type CommandInput, flagValue } from "./command.ts";
import { readPort } from "./flag_config.ts";
import { stopSignal } from "./signals.ts";
import { paint, type Terminal } from "./terminal.ts";

/** The exports of the module of the demo. */
export interface DemoModule {
  /**
   * Starts upstreams, page, proxy and traffic.
   *
   * @throws {ListenError} The port cannot be opened.
   */
  startDemo(options: StartDemoOptions): Promise<RunningDemo>;
}

/** The port of the demo. */
export interface StartDemoOptions {
  /** The first port to try. */
  readonly firstPort: number;
  /** Whether the next ports are tried while one is in use. */
  readonly tryNext: boolean;
  /**
   * Folder of the local authority.
   *
   * @default {that of this user}
   */
  readonly storage?: string;
}

/** A running demo. */
export interface RunningDemo {
  /** Port of the page and the proxy. */
  readonly port: number;
  /** Port of the same by https; undefined where it could not be opened. */
  readonly securePort: number | undefined;
  /** Paths of the proxied routes. */
  readonly paths: readonly string[];
  /** Address of the dashboard. */
  readonly dashboardUrl: string;
  /** Stops everything that was started. */
  stop(): Promise<void>;
}

/**
 * Runs the demo until a signal ends it.
 *
 * @throws {UsageError} `--port` is not a port.
 * @throws {ListenError} The port given by `--port` cannot be opened.
 * @throws {Error} The demo is not part of this installation.
 */
export async function demoCommand(input: CommandInput): Promise<number> {
  const asked = flagValue(input, "port");
  const options: StartDemoOptions = asked === undefined
    ? { firstPort: DEFAULT_PORT, tryNext: true }
    : { firstPort: readPort(asked), tryNext: false };
  const { startDemo } = await loadDemo();
  const log = new Log(openSink("stderr"), { level: "warn", format: "combined" });
  logUncaughtErrors(log);
  const signal = stopSignal();
  const demo = await startDemo(options);
  announce(demo, options, input.terminal);
  await signal;
  await demo.stop();
  await log.flush();
  return 0;
}

const DEFAULT_PORT = 8080;

// Not a literal in `import()`: tools that follow imports would include the demo in the package. `deno task compile` includes
// it by its path.
const DEMO_FILE = "demo.ts";

async function loadDemo(): Promise<DemoModule> {
  try {
    return await import(`../demo/${DEMO_FILE}`);
  } catch (error) {
    if (!(error instanceof TypeError && "code" in error && error.code === "ERR_MODULE_NOT_FOUND")) throw error;
    throw new Error(
      "The demo is not in the published package, but in the repository of BWS: run `deno task demo` there",
      {
        cause: error,
      },
    );
  }
}

function announce(
  { port, securePort, paths, dashboardUrl }: RunningDemo,
  { firstPort, tryNext }: StartDemoOptions,
  terminal: Terminal,
): void {
  const url = `http://localhost:${port}`;
  const { errorColored } = terminal;
  if (tryNext && port !== firstPort) terminal.printError(`Port ${firstPort} is in use, so this is port ${port}.`);
  terminal.printError([
    `${paint(errorColored, "bold", `bws ${VERSION} demo`)} is at ${paint(errorColored, "cyan", `${url}/`)}`,
    `The dashboard is at ${paint(errorColored, "cyan", dashboardUrl)}`,
    `WebSockets are at ${paint(errorColored, "cyan", `${url}/sockets`)}`,
    ...(securePort === undefined ? [] : [
      `By https it is at ${paint(errorColored, "cyan", `https://localhost:${securePort}/`)} ` +
      "(bws trust tells browsers to trust it)",
    ]),
    "",
    "Open them in a browser, or send a request yourself and watch it pass by:",
    ...paths.map((path) => `  curl ${url}${path}`),
    "",
    paint(errorColored, "dim", "Ctrl-C ends it."),
  ].join("\n"));
}
