/**
 * The family of certificates and their end, and the families `bws_acme_…`: orders of certificates, and the next renewal.
 * Without certificates they have no samples.
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
    new Family({
      ...{ name: "bws_tls_certificate_expiry_seconds", type: "gauge", unit: "seconds" },
      help: "Time until the certificate of a name expires, negative afterwards.",
    }, (sink) => {
      const nowMs = Date.now();
      for (const [labels, notAfterMs] of expiries(generation())) sink.value(labels, (notAfterMs - nowMs) / 1000);
    }),
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

/** When the certificates of all sites expire; of several for one name, the first is used. */
function expiries({ listeners }: Pick<Generation, "listeners">): ReadonlyMap<Labels, number> {
  const found = new Map<string, [Labels, number]>();
  for (const policy of listeners.flatMap(({ tls }) => tls?.policies ?? [])) {
    for (const { name, certificate } of policy.named) {
      const key = `${policy.site} ${name}`;
      if (certificate === undefined || found.has(key)) continue;
      found.set(key, [Labels.of({ site: policy.site, name }), certificate.notAfterMs]);
    }
  }
  return new Map(found.values());
}

const ISSUED = Labels.of({ result: "issued" });
const FAILED = Labels.of({ result: "failed" });
