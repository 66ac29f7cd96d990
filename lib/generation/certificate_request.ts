/**
 * Which certificates a config asks for.
 *
 * @module
 */

import type { CertificateRequest } from "../listener/acme/certificate_service.ts";
import { issuedNames, tlsOf } from "../listener/tls/site_tls.ts";
import type { Config } from "./config/config_types.ts";

/** The names of all sites whose certificates are not in files, and whether clients may ask for others. */
export function certificateRequest({ acme, store, sites }: Config): CertificateRequest {
  // Of a name that two sites have, the first decides.
  const names = new Map(sites.flatMap(issuedNames).reverse().map((wanted) => [wanted.name, wanted]));
  const onDemand = sites.map(tlsOf).find((tls) => tls?.on_demand === true);
  return {
    ...{ acme, store },
    names: [...names.values()].reverse(),
    onDemand: onDemand && (onDemand.issuer ?? "acme"),
  };
}

/** Whether challenges are answered over HTTP, on `acme.http_port`. */
export function answersChallenges({ acme, names, onDemand }: CertificateRequest): boolean {
  return acme.dns_command === undefined && (onDemand === "acme" || names.some(({ issuer }) => issuer === "acme"));
}
