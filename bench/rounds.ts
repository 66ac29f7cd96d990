/**
 * A workload under which all peers are measured, round after round. Processes are started once and kept through the rounds;
 * with `--fresh`, and where memory is looked at, each measurement has a process of its own.
 *
 * @module
 */

import type { BenchOptions } from "./bench_options.ts";
import type { LoadGenerator } from "./load/load_generator.ts";
import { type Figures, measure, type MeasurementOptions, type WarmPeer, warmUp } from "./measurement.ts";
import { type InstalledPeer, type RunningPeer, startPeer } from "./peers/installed_peers.ts";
import type { Setting } from "./peers/peer.ts";
import { freePort } from "./pinned_process.ts";
import type { Outcome } from "./report.ts";
import { upstreamAddress, type UpstreamServer } from "./upstream_server.ts";
import { routePath, type Workload } from "./workload.ts";

/** Where it is measured. */
export interface Place {
  options: BenchOptions;
  folder: string;
  generator: LoadGenerator;
  upstream: UpstreamServer;
  /** Upstream of WebSockets. */
  echo?: UpstreamServer;
}

/** Called after each measurement. */
export type Progress = (round: number, peer: InstalledPeer, outcome: Outcome) => void;

/** A peer under one workload. */
interface Subject {
  peer: InstalledPeer;
  outcomes: Outcome[];
  /** Its kept process; undefined where each measurement has one of its own. */
  kept?: WarmProcess;
}

interface WarmProcess {
  running: RunningPeer;
  options: MeasurementOptions;
  warm: WarmPeer;
}

/** Measures all `peers` in all rounds. What failed is in the outcomes: round after round, by the peer's name. */
export async function measureRounds(
  workload: Workload,
  peers: readonly InstalledPeer[],
  place: Place,
  progress: Progress,
): Promise<Map<string, Outcome[]>> {
  const fresh = place.options.fresh || workload.idle !== undefined;
  const subjects: Subject[] = peers.map((peer) => ({ peer, outcomes: [] }));
  try {
    if (!fresh) {
      for (const subject of subjects) {
        try {
          subject.kept = await startWarm(subject.peer, workload, place);
        } catch (error) {
          progress(1, subject.peer, fail(subject, error));
        }
      }
    }
    for (let round = 0; round < place.options.rounds; round++) {
      // Each is the first now and then, so that none always follows the same.
      for (let n = 0; n < subjects.length; n++) {
        const subject = subjects[(n + round) % subjects.length];
        // A process that did not start, or has ended, has its failure among the outcomes already.
        if (subject.outcomes.some((outcome) => "failure" in outcome) && !(fresh || alive(subject))) continue;
        progress(round + 1, subject.peer, await outcomeOf(subject, workload, place, fresh));
      }
    }
  } finally {
    await Promise.all(subjects.map(({ kept }) => kept?.running.stop()));
  }
  return new Map(subjects.map(({ peer, outcomes }) => [peer.name, outcomes]));
}

/**
 * What nginx does a second under full load.
 *
 * @throws {Error} When it does not start or does not respond.
 */
export async function nginxPerSecond(nginx: InstalledPeer, workload: Workload, place: Place): Promise<number> {
  const options = { ...place.options, warmUpSeconds: 1 };
  // At no rate that it could have a latency at: none is measured.
  const { running, warm } = await startWarm(nginx, { ...workload, rate: Infinity }, { ...place, options });
  await running.stop();
  return warm.perSecond ?? 0;
}

async function startWarm(peer: InstalledPeer, workload: Workload, place: Place): Promise<WarmProcess> {
  const folder = await Deno.makeTempDir({ dir: place.folder, prefix: `${peer.key}-` });
  const cores = place.options.proxyCores;
  const running = await startPeer(peer, { cores, setting: settingOf(workload, place, folder) });
  const { port, pid } = running;
  const options = { ...place.options, port, folder, generator: place.generator, ...(pid === undefined ? {} : { pid }) };
  try {
    return { running, options, warm: await warmUp(workload, options) };
  } catch (error) {
    await running.stop();
    throw error;
  }
}

async function outcomeOf(subject: Subject, workload: Workload, place: Place, fresh: boolean): Promise<Outcome> {
  try {
    const figures = await (fresh ? measureFresh : measureKept)(subject, workload, place);
    const outcome = { figures };
    subject.outcomes.push(outcome);
    return outcome;
  } catch (error) {
    return fail(subject, error);
  }
}

function alive({ kept }: Subject): boolean {
  return kept !== undefined && !kept.running.ended();
}

async function measureKept({ outcomes, kept }: Subject, workload: Workload): Promise<Figures> {
  const { options, warm } = kept!;
  const figures = await measure(workload, warm, options);
  return outcomes.length > 0 ? figures : { ...figures, errors: [...warm.errors, ...figures.errors] };
}

async function measureFresh({ peer }: Subject, workload: Workload, place: Place): Promise<Figures> {
  const { running, options, warm } = await startWarm(peer, workload, place);
  try {
    const figures = await measure(workload, warm, options);
    return { ...figures, errors: [...warm.errors, ...figures.errors] };
  } finally {
    await running.stop();
  }
}

function fail({ outcomes, kept }: Subject, error: unknown): Outcome {
  const message = error instanceof Error ? error.message : String(error);
  const outcome = { failure: kept?.running.ended() === true ? `its process has ended: ${message}` : message };
  outcomes.push(outcome);
  return outcome;
}

function settingOf(workload: Workload, place: Place, folder: string): Setting {
  return {
    port: freePort(),
    folder,
    upstreams: upstreamsOf(workload, place),
    routes: Array.from({ length: workload.routes ?? 0 }, (_, n) => routePath(n)),
    ...(workload.needs === "files" ? { files: `${place.folder}/files` } : {}),
    workers: place.options.workers,
  };
}

/** One upstream is one address; many are as many addresses of the same one. */
function upstreamsOf({ needs, upstreams = 1 }: Workload, { upstream, echo }: Place): string[] {
  const { port } = needs === "sockets" && echo !== undefined ? echo : upstream;
  return Array.from({ length: upstreams }, (_, n) => `${upstreamAddress(n)}:${port}`);
}
