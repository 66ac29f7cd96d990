/**
 * The schema of a config with all its checks, in their order.
 *
 * @module
 */

import { checkManagement } from "../../admin/management_checks.ts";
import type { ComposedConfig } from "../../config/composed_config.ts";
import { resolveErrorPages } from "../../features/error_pages_schema.ts";
import { checkAccessLogs } from "../../features/access_log/access_log_checks.ts";
import { type AnyFeature, FEATURES } from "../../features/features.ts";
import { checkFiles, resolveFolders } from "../../handlers/files/files_checks.ts";
import { checkProxies } from "../../handlers/proxy/config/proxy_checks.ts";
import { resolveCertificates } from "../../handlers/proxy/config/tls_checks.ts";
import { checkCertificates } from "../../listener/tls/certificate_checks.ts";
import { checkTlsSites, resolveTlsFiles } from "../../listener/tls/tls_checks.ts";
import { checkListenerLimits } from "../../listener/listener_limits_checks.ts";
import { checkVirtualHosts } from "../../listener/virtual_host_checks.ts";
import { checkTrust, resolveLog, resolveMiddleware } from "../../process/server_checks.ts";
import { composeSchema, configSchema } from "./config_schema.ts";
import type { Config } from "./config_types.ts";
import { featureChecks, featureFiles } from "./feature_schema.ts";
import { checkLoops } from "./loop_checks.ts";
import { checkPorts } from "./port_checks.ts";
import { withSubstituted } from "./shown_config.ts";
import { checkPurpose } from "./site_checks.ts";
import { checkVariables } from "./variable_checks.ts";

/** The schema and the checks of a config. */
export const COMPOSED_CONFIG: ComposedConfig<Config> = composed(configSchema, FEATURES);

/** The schema and the checks of a config in which these features may be set. */
export function composeConfig(features: readonly AnyFeature[]): ComposedConfig<Config> {
  return composed(composeSchema(features) as unknown as ComposedConfig<Config>["schema"], features);
}

function composed(schema: ComposedConfig<Config>["schema"], features: readonly AnyFeature[]): ComposedConfig<Config> {
  return {
    schema,
    files: [
      resolveMiddleware,
      resolveLog,
      resolveFolders,
      resolveErrorPages,
      featureFiles(features),
      resolveTlsFiles,
      resolveCertificates,
    ],
    checks: [
      checkTrust,
      checkListenerLimits,
      checkManagement,
      checkVirtualHosts,
      checkTlsSites,
      checkCertificates,
      checkPurpose,
      checkFiles,
      checkProxies,
      featureChecks(features),
      checkAccessLogs,
      checkLoops,
      checkVariables,
      checkPorts,
    ],
    complete: withSubstituted,
  };
}
