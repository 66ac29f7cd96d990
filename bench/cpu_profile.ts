/**
 * A processor profile of V8, as a table of functions.
 *
 * @module
 */

interface ProfileNode {
  id: number;
  callFrame: { functionName: string; url: string; lineNumber: number };
}

/** What `--cpu-prof` writes, as far as it is used. */
export interface CpuProfile {
  nodes: ProfileNode[];
  /** Node of each sample. */
  samples: number[];
  /** Time from the sample before, in microseconds. */
  timeDeltas: number[];
}

/** Time that a function itself took. */
export interface SelfTime {
  /** Its name, and file with line. */
  name: string;
  place: string;
  /** Share of all time in which something ran, 0 to 1. */
  share: number;
}

const IDLE = "(idle)";

/** The functions of a profile, the costliest first. Time in which nothing ran is left out. */
export function selfTimes({ nodes, samples, timeDeltas }: CpuProfile): SelfTime[] {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const found = new Map<string, { name: string; place: string; time: number }>();
  let total = 0;
  for (const [n, id] of samples.entries()) {
    const frame = frames.get(id);
    // A sample holds until the next one.
    const time = timeDeltas[n + 1] ?? 0;
    if (frame === undefined || frame.functionName === IDLE) continue;
    const place = frame.url === "" ? "" : `${shortened(frame.url)}:${frame.lineNumber + 1}`;
    const key = `${frame.functionName} ${place}`;
    const entry = found.get(key) ?? { name: frame.functionName || "(anonymous)", place, time: 0 };
    entry.time += time;
    total += time;
    found.set(key, entry);
  }
  return [...found.values()].toSorted((a, b) => b.time - a.time)
    .map(({ name, place, time }) => ({ name, place, share: time / total }));
}

function shortened(url: string): string {
  const root = new URL("../", import.meta.url).href;
  return url.startsWith(root) ? url.slice(root.length) : url;
}
