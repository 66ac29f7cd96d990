/**
 * `bws demo`: three policies at work on requests and WebSockets, to be watched in the browser. Everything runs in this process, on loopback ports.
 *
 * @module
 */

import { resolveConfig } from "../../config/resolve_config.ts";
import { Log, openSink } from "../../log/log.ts";
import { ListenError } from "../../server/listener.ts";
import { type RunningServer, startServer } from "../../server/server.ts";
import { VERSION } from "../../version.ts";
import { type CommandInput, flagValue } from "../command.ts";
import { readPort } from "../flag_config.ts";
import { stopSignal } from "../stop_signal.ts";
import { logStrayErrors } from "../stray_errors.ts";
import { paint, type Terminal } from "../terminal.ts";
import { ControlRoom } from "./control_room.ts";
import { SampleUpstream } from "./sample_upstream.ts";
import { frontSite, policySites, POOL, SAMPLES, SHOWN } from "./scene.ts";
import { Traffic } from "./traffic.ts";

/**
 * Runs the demo until it is asked to stop.
 *
 * @throws {UsageError} `--port` is no port.
 * @throws {ListenError} The port that was asked for cannot be opened.
 */
export async function demoCommand(input: CommandInput): Promise<number> {
  const asked = flagValue(input, "port");
  const port = asked === undefined ? undefined : readPort(asked);
  const log = new Log(openSink("stderr"), { level: "warn", format: "combined" });
  logStrayErrors(log);
  const signal = stopSignal();
  const demo = await startDemo({ port });
  announce(demo.port, port === undefined, input.terminal);
  await signal;
  await demo.stop();
  await log.flush();
  return 0;
}

/** Options of {@linkcode startDemo}. */
export interface StartDemoOptions {
  /**
   * Where to listen.
   *
   * @default {undefined} `firstPort`, or the next port that is free.
   */
  port?: number | undefined;
  /**
   * The first port to try.
   *
   * @default {8080}
   */
  firstPort?: number;
}

/** A demo that runs. */
export interface RunningDemo {
  /** Port of the page and the proxy. */
  readonly port: number;
  /** Ends everything that was started. */
  stop(): Promise<void>;
}

/**
 * Starts upstreams, page, proxy and traffic.
 *
 * @throws {ListenError} The port cannot be opened.
 */
export async function startDemo({ port, firstPort = FIRST_PORT }: StartDemoOptions = {}): Promise<RunningDemo> {
  const upstreams = SAMPLES.map((sample) => new SampleUpstream(sample, (visit) => visited(sample.name, visit)));
  await Promise.all(upstreams.map((upstream) => upstream.start()));
  const sites = await startServer(resolveConfig(policySites(upstreams.map((upstream) => upstream.url))).config);
  const traffic = new Traffic((outcome) => room.show(outcome, false));
  const room = new ControlRoom({ upstreams, traffic, inFlight: () => inFlight(sites) });
  const stopBehind = async () => {
    traffic.run(false);
    await room.close();
    // WebSockets last until one side ends them, so the upstreams end them before the proxy waits for its exchanges.
    await Promise.all(upstreams.map((upstream) => upstream.stop()));
    await sites.stop();
  };
  const siteUrls = sites.addresses.map((address) => `http://127.0.0.1:${address.port}`);
  const open = (candidate: number) => startServer(resolveConfig(frontSite(candidate, room.url, siteUrls)).config);
  let front: RunningServer;
  try {
    front = port === undefined ? await openNextPort(firstPort, open) : await open(port);
  } catch (error) {
    await stopBehind();
    throw error;
  }
  const opened = front.addresses[0].port;
  traffic.origin = `http://127.0.0.1:${opened}`;
  return {
    port: opened,
    stop: async () => {
      await stopBehind();
      await front.stop();
    },
  };

  function visited(upstream: string, { path, elapsedMs }: { path: string; elapsedMs: number }): void {
    const policy = SHOWN.findIndex((shown) => path === shown.path || path.startsWith(`${shown.path}/`));
    room.show({ policy, upstream, status: 200, elapsedMs }, true);
  }
}

// Trying is the only way to know: a port that was free a moment ago may be taken now.
async function openNextPort(
  firstPort: number,
  open: (port: number) => Promise<RunningServer>,
): Promise<RunningServer> {
  for (let port = firstPort;; port++) {
    try {
      return await open(port);
    } catch (error) {
      const taken = error instanceof ListenError && error.cause instanceof Deno.errors.AddrInUse;
      if (!taken || port === firstPort + MOST_TRIES) throw error;
    }
  }
}

function inFlight(sites: RunningServer): number[][] {
  return sites.gateway.sites.map((site) => site.pools.get(POOL)?.upstreams.map((upstream) => upstream.inFlight) ?? []);
}

function announce(port: number, mayMove: boolean, terminal: Terminal): void {
  const url = `http://localhost:${port}`;
  const { errorColored } = terminal;
  if (mayMove && port !== FIRST_PORT) terminal.tell(`Port ${FIRST_PORT} is in use, so this is port ${port}.`);
  const lines = SHOWN.map(({ path }) => `  curl ${url}${path}`);
  terminal.tell([
    `${paint(errorColored, "bold", `bws ${VERSION} demo`)} is at ${paint(errorColored, "cyan", `${url}/`)}`,
    `WebSockets are at ${paint(errorColored, "cyan", `${url}/sockets`)}`,
    "",
    "Open them in a browser, or ask yourself and watch your request pass by:",
    ...lines,
    "",
    paint(errorColored, "dim", "Ctrl-C ends it."),
  ].join("\n"));
}

const FIRST_PORT = 8080;
const MOST_TRIES = 100;
