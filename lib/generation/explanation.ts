/**
 * How a request is handled, and why, as plain data: for `bws explain` and for the management API.
 *
 * @module
 */

/** A site of the port. */
export interface ExplainedSite {
  readonly name: string;
  /** Host names; empty means any. */
  readonly hosts: readonly string[];
  /** Why it takes the request, or why not. */
  readonly why: string;
}

/** A route of the site. */
export interface ExplainedRoute {
  /** The path as in the config. */
  readonly path: string;
  /** How the path is compared. */
  readonly kind: "prefix" | "exact" | "pattern";
  /** Methods that the route takes; null for all. */
  readonly methods: readonly string[] | null;
  /** Why it takes the request, or why not. */
  readonly why: string;
}

/** An upstream that the request may go to. */
export interface ExplainedUpstream {
  /** Its `url`. */
  readonly url: string;
  /** Share of the load. */
  readonly weight: number;
  /** Whether it serves only when no other can. */
  readonly backup: boolean;
  /** A remark, such as that its addresses are looked up by a running server. */
  readonly note: string | null;
  /** State; null where no server runs. */
  readonly state: string | null;
  /** Attempts under way; null where no server runs. */
  readonly inFlight: number | null;
}

/** The pool of the route. */
export interface ExplainedPool {
  /** Name that routes refer to. */
  readonly name: string;
  /** Balancing policy. */
  readonly policy: string;
  /** In the order of the config. */
  readonly upstreams: readonly ExplainedUpstream[];
}

/** The request to the upstream. */
export interface ExplainedForward {
  /** Request line and header fields, without secrets; Host and the path are those for the first upstream. */
  readonly head: readonly string[];
  /** Whether Host differs for each upstream. */
  readonly hostOfUpstream: boolean;
  /** Whether it is a WebSocket handshake, whose Sec-WebSocket-Key is new each time. */
  readonly websocket: boolean;
}

/** The search for a file. */
export interface ExplainedFiles {
  /** The folder in which files are searched for. */
  readonly root: string;
  /** Paths below it that were looked up, in order. */
  readonly tried: readonly string[];
  /** The file that would be served; null where none is. */
  readonly file: string | null;
}

/** How a request is handled. */
export interface Explanation {
  /** The request as it was parsed. */
  readonly request: {
    readonly method: string;
    readonly url: string;
    readonly host: string;
    readonly path: string;
    readonly query: string;
    /** The client's address, behind trusted proxies. */
    readonly client: string;
  };
  /** Path and query within the site; null where no rewrite is for the request. */
  readonly rewritten: string | null;
  /** The listener, such as `:8080`; null where nothing listens. */
  readonly listener: string | null;
  /** Assumptions about parts that the URL lacks. */
  readonly notes: readonly string[];
  /** The site; null where the request is refused before a site is chosen. */
  readonly site: ExplainedSite | null;
  /** The other sites of the port. */
  readonly otherSites: readonly ExplainedSite[];
  /** What responds. `refused` is BWS itself, with an error. */
  readonly outcome: "endpoint" | "upstream" | "files" | "redirect" | "refused";
  /** The status, where BWS decides it; null for upstreams, and for endpoints, whose status may change at any time. */
  readonly status: number | null;
  /** Why this is the outcome. */
  readonly why: string;
  /** The target of a redirect. */
  readonly location: string | null;
  /** The route; null where none takes it. */
  readonly route: ExplainedRoute | null;
  /** The other routes: first those whose path matches as well, then the others in the order of the config. */
  readonly otherRoutes: readonly ExplainedRoute[];
  /** How many more there are. */
  readonly moreRoutes: number;
  /** The request to the upstream; null where none is sent. */
  readonly forward: ExplainedForward | null;
  /** The pool; null where no request is sent upstream. */
  readonly pool: ExplainedPool | null;
  /** The search for a file; null where there is none. */
  readonly files: ExplainedFiles | null;
  /** The settings that apply to the request, by their key in the config. */
  readonly settings: Readonly<Record<string, string>>;
}
