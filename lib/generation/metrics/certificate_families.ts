/**
 * The families `bws_acme_…`: orders of certificates, and the next renewal. Without certificates that BWS gets itself they
 * have no samples.
 *
 * @module
 */

import { Family, type FamilyOptions, type SampleSink } from "../../metrics/family.ts";
import { Labels } from "../../metrics/labels.ts";
import type { CertificateService } from "../../listener/acme/certificate_service.ts";
import type { Generation } from "../generation.ts";

/** The families of the certificates that are ordered in this thread. */
export function certificateFamilies(generation: () => Generation): Family[] {
  const family = (options: FamilyOptions, collect: (service: CertificateService, sink: SampleSink) => void) =>
    new Family(options, (sink) => {
      const { certificateService: service } = generation().processState;
      if (service !== undefined && service.status.length > 0) collect(service, sink);
    });
  return [
    family({
      ...{ name: "bws_acme_orders_total", type: "counter" },
      help: "Orders of certificates, of ACME and of the local authority, by what became of them.",
    }, ({ orders: { issued, failed } }, sink) => {
      sink.value(ISSUED, issued);
      sink.value(FAILED, failed);
    }),
    family({
      ...{ name: "bws_acme_failing_names", type: "gauge" },
      help: "Names whose last order failed.",
    }, ({ status }, sink) => sink.value(Labels.NONE, status.filter(({ problem }) => problem !== null).length)),
    family({
      ...{ name: "bws_acme_next_renewal_timestamp_seconds", type: "gauge", unit: "seconds" },
      help: "When the next certificate is renewed, in seconds since 1970.",
    }, ({ status }, sink) => {
      const timesMs = status.map(({ renewAtMs }) => renewAtMs).filter((atMs) => atMs !== null);
      if (timesMs.length > 0) sink.value(Labels.NONE, Math.min(...timesMs) / 1000);
    }),
  ];
}

const ISSUED = Labels.of({ result: "issued" });
const FAILED = Labels.of({ result: "failed" });
