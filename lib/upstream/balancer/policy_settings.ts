/**
 * The settings of policies, with the keys of `[sites.proxy.load_balancing]`: the resolved table is one of these. The
 * defaults are here, because policies are also made without a config.
 *
 * @module
 */

/** Settings of the policies that have any. */
export interface PolicySettings {
  /**
   * `header_hash`: the header whose value is the key; its name is compared without case. Without it, no request has a
   * key.
   */
  readonly header?: string;
  /**
   * `uri_hash`: whether the query belongs to the key.
   *
   * @default {false}
   */
  readonly include_query?: boolean;
  /**
   * The hash policies: how many times the mean load an upstream may carry before keys overflow to others, 1 or more; 0
   * for no bound.
   *
   * @default {1.25}
   */
  readonly balance_factor?: number;
  /**
   * `cookie`: the cookie, and the policy for clients without one.
   *
   * @default {COOKIE_DEFAULTS}
   */
  readonly cookie?: CookieSettings;
}

/** Settings of the policy `cookie`. */
export interface CookieSettings {
  /**
   * Name of the cookie.
   *
   * @default {"bws_upstream"}
   */
  readonly name?: string;
  /**
   * Signs the values. With one, cookies remain valid after a restart and on several proxies.
   *
   * @default {PolicyOptions.secret}
   */
  readonly secret?: string;
  /**
   * Path below which the client sends the cookie.
   *
   * @default {"/"}
   */
  readonly path?: string;
  /** Domain whose hosts get the cookie; without it, the host that set it. */
  readonly domain?: string;
  /** How long the client keeps the cookie, in milliseconds; without it, until the browser is closed. */
  readonly max_age?: number;
  /**
   * Whether it is sent over TLS only; `"auto"` where the client came over TLS.
   *
   * @default {"auto"}
   */
  readonly secure?: boolean | "auto";
  /**
   * Whether scripts cannot read it.
   *
   * @default {true}
   */
  readonly http_only?: boolean;
  /**
   * Which requests from other sites carry it. `"none"` works over TLS only.
   *
   * @default {"lax"}
   */
  readonly same_site?: "lax" | "strict" | "none";
  /**
   * Policy for clients without a cookie, or whose upstream is not available; any but `cookie`.
   *
   * @default {"weighted_round_robin"}
   */
  readonly fallback?: string;
}

/** Defaults of the settings. */
export const SETTINGS_DEFAULTS = { include_query: false, balance_factor: 1.25 } as const satisfies PolicySettings;

/** Defaults of the cookie. */
export const COOKIE_DEFAULTS = {
  name: "bws_upstream",
  path: "/",
  secure: "auto",
  http_only: true,
  same_site: "lax",
  fallback: "weighted_round_robin",
} as const satisfies CookieSettings;
