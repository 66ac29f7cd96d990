/**
 * The list of features. A new feature is a file or folder here and one line in this list: its table is then in the
 * schema, the types, the JSON Schema and the reference, and its filter in the pipelines.
 *
 * @module
 */

import { accessLog } from "./access_log/access_log.ts";
import { access } from "./access/access.ts";
import { basicAuth } from "./basic_auth/basic_auth.ts";
import { cacheControl } from "./cache_control.ts";
import { compression } from "./compression/compression.ts";
import { cors } from "./cors/cors.ts";
import { errorPages } from "./error_pages.ts";
import type { Feature } from "./feature.ts";
import { fileRules } from "./file_rules.ts";
import { forwardAuth } from "./forward_auth/forward_auth.ts";
import { headers } from "./headers.ts";
import { hsts } from "./hsts.ts";
import { interceptErrors } from "./intercept_errors.ts";
import { jwt } from "./jwt/jwt.ts";
import { maintenance } from "./maintenance.ts";
import { maxBodySize } from "./max_body_size.ts";
import { rateLimit } from "./rate_limit/rate_limit.ts";
import { redirects } from "./redirects/redirects.ts";
import { redirectSlash } from "./redirect_slash.ts";
import { redirectToHttps } from "./redirect_to_https.ts";
import { requestBuffering } from "./request_buffering/request_buffering.ts";
import { requestId } from "./request_id.ts";
import { rewrite } from "./rewrite/rewrites.ts";
import { respond } from "./respond.ts";
import { responseHeaders } from "./response_headers.ts";
import { securityHeaders } from "./security_headers.ts";

/** Any feature, whatever its options. */
// deno-lint-ignore no-explicit-any
export type AnyFeature = Feature<any>;

/** The features of this server. Their `order` sets their positions in the pipeline. */
export const FEATURES = [
  accessLog,
  requestId,
  redirects,
  rewrite,
  redirectToHttps,
  redirectSlash,
  maxBodySize,
  requestBuffering,
  cors,
  access,
  maintenance,
  rateLimit,
  basicAuth,
  jwt,
  forwardAuth,
  respond,
  compression,
  securityHeaders,
  headers,
  responseHeaders,
  hsts,
  errorPages,
  cacheControl,
  fileRules,
  interceptErrors,
] as const satisfies readonly AnyFeature[];
