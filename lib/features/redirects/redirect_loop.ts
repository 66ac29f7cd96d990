/**
 * Finds redirects that lead back to themselves, by following a request that each is for.
 *
 * @module
 */

import type { Exchange } from "../../exchange/exchange.ts";
import type { Redirects } from "./redirects.ts";

/** Redirects after which a chain that never came back counts as endless: each one adds to the path. */
const MOST_STEPS = 12;

/**
 * The locations that a request for the redirect at `index` passes, if it comes back to one or never ends; undefined where
 * it ends, or where no request for it can be made up.
 */
export function loopOf(redirects: Redirects, index: number): string[] | undefined {
  const { source, pattern: { sample } } = redirects.list[index];
  if (sample === undefined) return undefined;
  const start = new URL(sample, `${source.scheme ?? "https"}://${source.host ?? UNNAMED}`);
  // The redirect may be one that another hides.
  if (redirects.find(exchangeOf(start))?.redirect !== redirects.list[index]) return undefined;
  const passed = [shown(start)];
  let url = start;
  for (let step = 0; step < MOST_STEPS; step++) {
    const found = redirects.find(exchangeOf(url));
    if (found === undefined) return undefined;
    // Another host may be that of another site, unless a redirect of this one names it.
    if (url.host !== start.host && found.redirect.source.host === undefined) return undefined;
    url = new URL(found.location, url);
    const seen = passed.includes(shown(url));
    passed.push(shown(url));
    if (seen) return passed;
  }
  return passed.slice(0, 4).concat("…");
}

/** Stands for a host that `from` leaves open. */
const UNNAMED = "any.invalid";

function shown(url: URL): string {
  return url.host === UNNAMED ? url.pathname + url.search : url.href;
}

/** As much of an exchange as a redirect looks at. */
function exchangeOf(url: URL): Exchange {
  const head = {
    ...{ method: "GET", path: url.pathname, query: url.search, host: url.hostname, authority: url.host },
    ...{ headers: [], scheme: url.protocol.slice(0, -1) },
  };
  const rest = { clientAddress: "", requestId: "", route: "", site: "", upstream: "", client: {} };
  return { ...rest, head, path: head.path, query: head.query, clientScheme: head.scheme } as unknown as Exchange;
}
