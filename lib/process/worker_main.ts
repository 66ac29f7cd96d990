/**
 * A worker: serves the config that its supervisor sends, on ports that it shares with the other workers.
 *
 * @module
 */

import { ProcessState } from "../generation/process_state.ts";
import { SupervisorAddresses } from "../upstream/discovery/supervisor_addresses.ts";
import type { CertificateTable } from "../listener/acme/certificate_table.ts";
import type { ServerCertificate } from "../listener/tls/certificate.ts";
import { Log } from "../log/log.ts";
import { logUncaughtErrors } from "../log/uncaught_errors.ts";
import { HeapWatch } from "./heap_watch.ts";
import { SharedMemoryState } from "../state/shared_memory_state.ts";
import { sharedTime } from "../state/shared_time.ts";
import { unseenWork } from "../state/unseen_work.ts";
import { ListenError } from "./listener.ts";
import { chooseSockets } from "./socket_choice.ts";
import { socketDriver } from "../sockets/socket_driver.ts";
import { type RunningServer, startServer } from "./server.ts";
import type { GenerationMessage, SupervisorMessage, WorkerMessage } from "./worker_message.ts";

interface Running {
  readonly server: RunningServer;
  readonly sharedState: SharedMemoryState;
  readonly addresses: SupervisorAddresses;
  readonly certificates: CertificateTable;
  readonly log: Log;
  ports: ReadonlyMap<string, number>;
}

const STATUS_MS = 1000;

// The types of `self` are those of a window here.
const scope = self as unknown as {
  onmessage: ((event: MessageEvent<SupervisorMessage>) => void) | null;
  close(): void;
};
const post = (message: WorkerMessage) => (self as unknown as Worker).postMessage(message);
let running: Running | undefined;
// Messages are handled one after the other: a reload must not overtake the start.
let queue: Promise<void> = Promise.resolve();

scope.onmessage = ({ data }) => {
  queue = queue.then(() => handle(data)).catch((error) => {
    // Only these two have a response.
    if (data.kind === "start" || data.kind === "reload") {
      post({ kind: "failed", message: describe(error), listening: error instanceof ListenError });
    } else {
      running?.log.log("error", "A worker cannot follow its supervisor", {
        message: data.kind,
        cause: describe(error),
      });
    }
  });
};

async function handle(message: SupervisorMessage): Promise<void> {
  if (message.kind === "start") return await start(message);
  if (running === undefined) throw new Error(`Cannot ${message.kind}: the worker was not started`);
  switch (message.kind) {
    case "reload":
      return await reload(running, message.generation);
    case "addresses":
      running.sharedState.learn(message.table);
      return running.addresses.update(message.found);
    case "members":
      running.sharedState.learn(message.table);
      return running.server.generation.changeMembers(message.change);
    case "certificate":
      return running.certificates.set(message.changed);
    case "obtained":
      return obtained(message);
    case "certificate_files":
      return running.server.generation.processState.certificateFiles.replace(message.contents);
    case "rebalance":
      return running.server.rebalance();
    case "release":
      return running.server.releaseIdle(message.clients);
    case "unready":
      return running.server.turnUnready();
    case "stop":
      return await stop(running);
  }
}

async function start(
  { generation, place, secret, time, driver }: SupervisorMessage & { kind: "start" },
): Promise<void> {
  const { config, table, found, ports, certificates, certificateFiles, changes } = generation;
  sharedTime.align(time);
  unseenWork.embedded = false;
  const sharedState = new SharedMemoryState(place, table);
  const log = new Log((bytes) => Promise.resolve(post({ kind: "log", bytes })), {
    ...config.logging,
    open: (output) => (bytes, header) => Promise.resolve(post({ kind: "log", bytes, name: { output, header } })),
  });
  logUncaughtErrors(log);
  const addresses = new SupervisorAddresses(found);
  const processState = new ProcessState({
    log,
    sharedState,
    metricFields: (count, name) => sharedState.takeMetricFields(count, name),
    worker: place,
    secret,
    addresses,
    probes: false,
    certificateFiles,
  });
  for (const certificate of certificates) processState.certificates.set(certificate);
  processState.certificates.obtainer = obtain;
  const state = { sharedState, addresses, certificates: processState.certificates, log, ports };
  // Logged by the supervisor; here, only a choice that differs.
  const socketChoice = await chooseSockets({ sockets: driver }, undefined);
  const { remains } = socketDriver();
  if (remains !== undefined) post({ kind: "remains", remains });
  const { obstacle } = socketChoice;
  if (obstacle !== undefined) log.log("warn", "a worker has another socket driver", { worker: place.index, obstacle });
  const server = await startServer(config, {
    log,
    socketChoice,
    processState,
    watchesCertificates: false,
    listen: (key) => ({ shared: true, port: state.ports.get(key) }),
    onHandlesOut: (again) => post({ kind: "handles", again }),
    onPort: (key, status) => post({ kind: "port", key, status }),
    onFailure: config.management.enabled ? (failure) => post({ kind: "failure", failure }) : undefined,
  });
  for (const change of changes) server.generation.changeMembers(change);
  running = Object.assign(state, { server });
  const heap = new HeapWatch(log);
  setInterval(() => {
    const { exchanges: { underWay, endedCount: ended }, sockets } = server.generation;
    post({ kind: "status", underWay, ended, sockets: sockets.size, heapFull: heap.sample() });
  }, STATUS_MS);
  postReady(running);
}

async function reload(
  state: Running,
  { config, table, found, ports, certificates, certificateFiles, changes }: GenerationMessage,
): Promise<void> {
  state.sharedState.learn(table);
  for (const one of found) state.addresses.update(one);
  for (const certificate of certificates) state.certificates.set(certificate);
  state.ports = ports;
  state.server.generation.processState.certificateFiles.replace(certificateFiles);
  await state.server.reload(config);
  for (const change of changes) state.server.generation.changeMembers(change);
  postReady(state);
}

async function stop({ server, log }: Running): Promise<void> {
  const cut = await server.stop();
  await log.flush();
  post({ kind: "stopped", cut });
  scope.close();
}

/** Names that the supervisor was asked for. */
const obtaining = new Map<string, (certificate: ServerCertificate | undefined) => void>();

// Once at a time for a name: its table sees to that.
function obtain(name: string): Promise<ServerCertificate | undefined> {
  return new Promise((resolve) => {
    obtaining.set(name, resolve);
    post({ kind: "obtain", name });
  });
}

function obtained({ name, certificate }: SupervisorMessage & { kind: "obtained" }): void {
  obtaining.get(name)?.(certificate);
  obtaining.delete(name);
}

function postReady({ server }: Running): void {
  server.generation.metrics?.worker.publish();
  const addresses = server.addresses.map((address, i) => [server.generation.listeners[i].key, address] as const);
  post({ kind: "ready", addresses: new Map(addresses) });
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
