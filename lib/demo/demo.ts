/**
 * The demo: shows in a browser how three policies distribute requests and WebSockets. Everything runs in this process,
 * on loopback ports.
 *
 * @module
 */

import { FailureList } from "../admin/failure_list.ts";
import type { ManagedConfig } from "../admin/managed.ts";
import { type Management, type ManagementOptions, startManagement } from "../admin/management.ts";
import type { RunningDemo, StartDemoOptions } from "../cli/demo_command.ts";
import { resolveConfig } from "../generation/config/resolve_config.ts";
import { ListenError } from "../process/listener.ts";
import { type RunningServer, startServer } from "../process/server.ts";
import { DemoServer } from "./demo_server.ts";
import { SampleUpstream } from "./sample_upstream.ts";
import { frontSite, policySites, POOL, SAMPLES, SHOWN } from "./demo_config.ts";
import { Traffic } from "./traffic.ts";

/**
 * Starts upstreams, page, proxy and traffic.
 *
 * @throws {ListenError} The port cannot be opened.
 */
export async function startDemo({ firstPort, tryNext, storage }: StartDemoOptions): Promise<RunningDemo> {
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
  const traffic = new Traffic((outcome) => server.show(outcome, false));
  const server = new DemoServer({ upstreams, traffic, inFlight: () => inFlight(sites), dashboardUrl });
  const stopBehind = async () => {
    traffic.run(false);
    await server.close();
    // WebSockets last until one side ends them, so the upstreams end them before the proxy waits for its exchanges.
    await Promise.all(upstreams.map((upstream) => upstream.stop()));
    await management.stop();
    await sites.stop();
  };
  const siteUrls = sites.addresses.map((address) => `http://127.0.0.1:${address.port}`);
  const behind = { pageUrl: server.url, siteUrls };
  const open = (candidate: number) => startServer(resolveConfig(frontSite(candidate, behind)).config);
  let front: RunningServer;
  try {
    front = tryNext ? await openNextPort(firstPort, open) : await open(firstPort);
  } catch (error) {
    await stopBehind();
    throw error;
  }
  const opened = front.addresses[0].port;
  traffic.origin = `http://127.0.0.1:${opened}`;
  traffic.run(true);
  const secure = await openSecure((candidate) =>
    startServer(resolveConfig(frontSite(candidate, behind, { storage })).config)
  );
  return {
    port: opened,
    securePort: secure?.addresses[0].port,
    paths: SHOWN.map(({ path }) => path),
    dashboardUrl,
    stop: async () => {
      await stopBehind();
      await front.stop();
      await secure?.stop();
    },
  };

  function visited(upstream: string, { path, elapsedMs }: { path: string; elapsedMs: number }): void {
    const policy = SHOWN.findIndex((shown) => path === shown.path || path.startsWith(`${shown.path}/`));
    server.show({ policy, upstream, status: 200, elapsedMs }, true);
  }
}

// A port that was free a moment ago may be taken now: only opening it shows.
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

// The demo runs without it, too.
async function openSecure(open: (port: number) => Promise<RunningServer>): Promise<RunningServer | undefined> {
  try {
    return await openNextPort(SECURE_PORT, open);
  } catch {
    return undefined;
  }
}

function inFlight(sites: RunningServer): number[][] {
  return sites.generation.sites.map((site) =>
    site.pools.get(POOL)?.upstreams.map((upstream) => upstream.inFlight) ?? []
  );
}

// Another BWS on this machine may use the port.
async function openDashboard(options: ManagementOptions): Promise<Management> {
  try {
    return await startManagement(options);
  } catch (error) {
    if (!(error instanceof Error && error.cause instanceof Deno.errors.AddrInUse)) throw error;
    return await startManagement({ ...options, settings: { ...options.settings, port: 0 } });
  }
}

/** The demo's config does not change. */
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
const SECURE_PORT = 8443;
const MOST_TRIES = 100;
