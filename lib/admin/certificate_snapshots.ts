/**
 * The certificates of the sites, for snapshots.
 *
 * @module
 */

import type { Managed } from "./managed.ts";
import type { CertificateSnapshot } from "./snapshot.ts";

/**
 * Certificates in files, by the first name of each, then those that BWS gets itself: those of the config first, then those of
 * names that clients asked for.
 */
export function certificateSnapshots({ generation }: Pick<Managed, "generation">): CertificateSnapshot[] {
  const nowMs = Date.now();
  const status = generation.processState.certificateService?.status ?? [];
  const inMs = (atMs: number | null) => atMs === null ? null : Math.round(atMs - nowMs);
  const listed = status.map(({ name, issuer, onDemand, notAfterMs, renewAtMs, ordering, problem }) => ({
    ...{ name, origin: issuer, ordering, onDemand, expiresInMs: inMs(notAfterMs), renewInMs: inMs(renewAtMs) },
    problem: problem && {
      ...{ message: problem.message, atMs: problem.atMs, failures: problem.failures },
      nextTryInMs: Math.max(Math.round(problem.nextTryAtMs - nowMs), 0),
    },
  }));
  const inFiles = generation.listeners.flatMap(({ tls }) => tls?.policies ?? []).filter(({ files }) =>
    files !== undefined
  )
    .flatMap(({ named }) => named).map(({ name, certificate }) => ({
      ...{ name, origin: "file" as const, ordering: false, onDemand: false, renewInMs: null, problem: null },
      expiresInMs: inMs(certificate?.notAfterMs ?? null),
    }));
  return [
    ...inFiles,
    ...listed.filter(({ onDemand }) => !onDemand),
    ...listed.filter(({ onDemand }) => onDemand),
  ];
}
