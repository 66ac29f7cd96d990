/**
 * The management listener: the dashboard, the API and the metrics, on a port of its own.
 *
 * @module
 */

import type { ManagementConfig } from "./management_schema.ts";
import { isLoopback } from "../http/ip_address.ts";
import { hostOf } from "../http/authority.ts";
import { plainAddress } from "../http/ip_address.ts";
import { ServingPort } from "../listener/runtime/serving_port.ts";
import type { Log } from "../log/log.ts";
import { AdminHandler } from "./admin_handler.ts";
import { ApiKey } from "./api_key.ts";
import { configEndpoints } from "./config_endpoints.ts";
import { type Endpoint, EndpointTable } from "./endpoint.ts";
import { explainEndpoint } from "./explain_endpoint.ts";
import { EventStream } from "./event_stream.ts";
import { type FailureList, poolsOfRoute } from "./failure_list.ts";
import type { Managed, ManagedConfig } from "./managed.ts";
import { ManagedMetrics } from "./managed_metrics.ts";
import { openApiDocument } from "./openapi.ts";
import { readEndpoints } from "./read_endpoints.ts";
import { Sampler } from "./sampler.ts";
import { SnapshotMaker } from "./snapshot_maker.ts";
import { upstreamEndpoints } from "./upstream_endpoints.ts";

/** Options of {@linkcode startManagement}. */
export interface ManagementOptions {
  /** `[management]` of the config; not changed by a reload. */
  readonly settings: ManagementConfig;
  /** The running server. */
  readonly server: Managed;
  readonly config: ManagedConfig;
  /** Failures, filled by the code that started the server. */
  readonly failures: FailureList;
  /**
   * Whether a port that is in use is waited for: in a rolling restart it is that of the process which ends.
   *
   * @default {false}
   */
  readonly waitsForPort?: boolean;
  /** Gets changes that were made, and clients without the key. */
  readonly log?: Log | undefined;
}

/** A management listener. */
export interface Management {
  readonly address: Deno.NetAddr;
  /** Whether the port is open; if not, it is opened later. */
  readonly open: boolean;
  /** Closes the listener, all streams and all requests under way. */
  stop(): Promise<void>;
}

const GRACE_MS = 500;

/**
 * Opens the management listener.
 *
 * @throws {Error} When the port cannot be opened, or when the address is not loopback and there is no API key.
 */
export async function startManagement(options: ManagementOptions): Promise<Management> {
  const { settings, server: managed, config, failures, log } = options;
  const metrics = new ManagedMetrics(managed, config);
  failures.poolsOf = ({ site, route }) => poolsOfRoute(managed.generation, site, route);
  const sampler = new Sampler(managed, failures);
  const maker = new SnapshotMaker({ managed, config, sampler, failures, openFiles: () => metrics.openFiles });
  const events = new EventStream(maker);
  sampler.onSample = () => events.send();
  const endpoints: Endpoint[] = [];
  endpoints.push(
    ...readEndpoints({
      ...{ managed, maker, events, exposition: () => metrics.exposition },
      document: () => openApiDocument(endpoints),
    }),
    ...upstreamEndpoints({ managed, maker, log: (message, fields) => log?.log("info", message, fields) }),
    explainEndpoint(managed, maker),
    ...configEndpoints(config),
  );
  const handler = new AdminHandler({
    endpoints: new EndpointTable(endpoints),
    key: settings.api_key === undefined ? undefined : new ApiKey(settings.api_key),
    names: new Set([settings.host, ...settings.hosts ?? []].flatMap((name) => hostOf(name) ?? [])),
    log,
  });
  try {
    const listening = listen(options, handler);
    const { address } = listening.port;
    if (settings.api_key === undefined && !isLoopback(plainAddress(address.hostname))) {
      await listening.port.abort();
      throw new Error(
        `Cannot open the management API on ${settings.host}: it is ${address.hostname}, which others can reach; ` +
          "expected management.api_key, or a loopback address",
      );
    }
    handler.open();
    return {
      address,
      get open() {
        return listening.port.status.open;
      },
      stop: async () => {
        sampler.stop();
        events.close();
        await stop(listening);
      },
    };
  } catch (error) {
    sampler.stop();
    throw error;
  }
}

function listen({ settings, waitsForPort = false, log }: ManagementOptions, handler: AdminHandler): Listening {
  const { host, port, api_key: key } = settings;
  const pending = new Set<Promise<void>>();
  // What a host name stands for is known once its port is open: without a key it must not be one that others can reach.
  const waits = waitsForPort && (key !== undefined || isLoopback(plainAddress(host)));
  try {
    const kept = new ServingPort({
      ...{ hostname: host, port, shared: false, waits },
      handler: (request, info) => {
        const responded = info.completed.catch(() => {}).finally(() => pending.delete(responded));
        pending.add(responded);
        return handler.respond(request, info.remoteAddr);
      },
      onChange: ({ open, reason }) => {
        if (open) log?.log("warn", waits ? "management port is open" : "management port is open again");
        else log?.log("error", "management port closed, it will be opened again", { cause: reason ?? "unknown" });
      },
    });
    if (!kept.status.open) log?.log("warn", "management port is in use, it will be opened when it is free", { port });
    return { port: kept, pending };
  } catch (cause) {
    const reason = cause instanceof Deno.errors.AddrInUse
      ? "the port is in use. Stop the program that has it, or choose another `port` in [management]"
      : cause instanceof Error
      ? cause.message
      : String(cause);
    throw new Error(`Cannot open the management API on ${host}:${port}: ${reason}`, { cause });
  }
}

interface Listening {
  readonly port: ServingPort;
  /** One promise for each request under way, settled when its response was sent. */
  readonly pending: ReadonlySet<Promise<void>>;
}

// Not by the runtime's shutdown: that would wait forever for a client that keeps sending, and could not be cut short.
async function stop({ port, pending }: Listening): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => timer = setTimeout(resolve, GRACE_MS));
  await Promise.race([Promise.all(pending), late]);
  clearTimeout(timer);
  await port.abort();
}
