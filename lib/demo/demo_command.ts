/**
 * `bws demo`: three policies at work on requests and WebSockets, to be watched in the browser. Everything runs in this process, on loopback ports.
 *
 * @module
 */

import { FailureList } from "../admin/failure_list.ts";
import type { ManagedConfig } from "../admin/managed.ts";
import { type Management, type ManagementOptions, startManagement } from "../admin/management.ts";
import { resolveConfig } from "../config/resolve_config.ts";
import { Log, openSink } from "../log/log.ts";
import { ListenError } from "../process/listener.ts";
import { type RunningServer, startServer } from "../process/server.ts";
import { VERSION } from "../version.ts";
import { type CommandInput, flagValue } from "../cli/command.ts";
import { readPort } from "../cli/flag_config.ts";
import { stopSignal } from "../cli/stop_signal.ts";
import { logStrayErrors } from "../log/stray_errors.ts";
import { paint, type Terminal } from "../cli/terminal.ts";
import { DemoServer } from "./control_room.ts";
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
  announce(demo, port === undefined, input.terminal);
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
  /** Address of the dashboard. */
  readonly dashboardUrl: string;
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
  const { config } = resolveConfig(policySites(upstreams.map((upstream) => upstream.url), DASHBOARD_PORT));
  const failures = new FailureList();
  const sites = await startServer(config, { onFailure: (failure) => failures.add(failure) });
  const management = await openDashboard({
    settings: config.management,
    server: sites,
    config: FIXED_CONFIG,
    failures,
  });
  const dashboardUrl = `http://127.0.0.1:${management.address.port}/`;
  const traffic = new Traffic((outcome) => room.show(outcome, false));
  const room = new DemoServer({ upstreams, traffic, inFlight: () => inFlight(sites), dashboardUrl });
  const stopBehind = async () => {
    traffic.run(false);
    await room.close();
    // WebSockets last until one side ends them, so the upstreams end them before the proxy waits for its exchanges.
    await Promise.all(upstreams.map((upstream) => upstream.stop()));
    await management.stop();
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
  traffic.run(true);
  return {
    port: opened,
    dashboardUrl,
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

function announce({ port, dashboardUrl }: RunningDemo, mayMove: boolean, terminal: Terminal): void {
  const url = `http://localhost:${port}`;
  const { errorColored } = terminal;
  if (mayMove && port !== FIRST_PORT) terminal.tell(`Port ${FIRST_PORT} is in use, so this is port ${port}.`);
  const lines = SHOWN.map(({ path }) => `  curl ${url}${path}`);
  terminal.tell([
    `${paint(errorColored, "bold", `bws ${VERSION} demo`)} is at ${paint(errorColored, "cyan", `${url}/`)}`,
    `The dashboard is at ${paint(errorColored, "cyan", dashboardUrl)}`,
    `WebSockets are at ${paint(errorColored, "cyan", `${url}/sockets`)}`,
    "",
    "Open them in a browser, or ask yourself and watch your request pass by:",
    ...lines,
    "",
    paint(errorColored, "dim", "Ctrl-C ends it."),
  ].join("\n"));
}

// Another BWS on this machine may have it.
async function openDashboard(options: ManagementOptions): Promise<Management> {
  try {
    return await startManagement(options);
  } catch (error) {
    if (!(error instanceof Error && error.cause instanceof Deno.errors.AddrInUse)) throw error;
    return await startManagement({ ...options, settings: { ...options.settings, port: 0 } });
  }
}

/** The demo's config is made once. */
const FIXED_CONFIG: ManagedConfig = {
  generation: 1,
  file: null,
  loadedAtMs: Date.now(),
  acceptedCount: 0,
  refusedCount: 0,
  refused: undefined,
  reloadable: false,
  reload: () => Promise.resolve({ accepted: false, problems: [], needsRestart: [] }),
};

const DASHBOARD_PORT = 7654;
const FIRST_PORT = 8080;
const MOST_TRIES = 100;
