/**
 * What becomes of a request, and why, as plain data: for `bws explain` and for the management API.
 *
 * @module
 */

/** A site of the port, and why it takes the request or does not. */
export interface ExplainedSite {
  /** Its name. */
  readonly name: string;
  /** Its host names; none means any. */
  readonly hosts: readonly string[];
  /** Why it takes the request, or why not. */
  readonly why: string;
}

/** A route of the site, and why it takes the request or does not. */
export interface ExplainedRoute {
  /** Its path, as written. */
  readonly path: string;
  /** How the path is compared. */
  readonly kind: "prefix" | "exact" | "pattern";
  /** Methods that it takes; null for all. */
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
  /** What is to be said of it besides, such as that its addresses are looked up by a running server. */
  readonly note: string | null;
  /** Its state; null where no server runs. */
  readonly state: string | null;
  /** Attempts under way; null where no server runs. */
  readonly inFlight: number | null;
}

/** The pool of the route. */
export interface ExplainedPool {
  /** Name that routes refer to. */
  readonly name: string;
  /** How it chooses. */
  readonly policy: string;
  /** In the order of the config. */
  readonly upstreams: readonly ExplainedUpstream[];
}

/** The request that goes upstream. */
export interface ExplainedForward {
  /** Request line and header fields, without secrets; Host and the path are those for the first upstream. */
  readonly head: readonly string[];
  /** Whether Host is another one for each upstream. */
  readonly hostOfUpstream: boolean;
  /** Whether it is a WebSocket handshake, whose Sec-WebSocket-Key is another one each time. */
  readonly websocket: boolean;
}

/** How the file is looked for. */
export interface ExplainedFiles {
  /** The folder. */
  readonly root: string;
  /** Paths below it that were looked up, in order. */
  readonly tried: readonly string[];
  /** The file that would be served; null where none is. */
  readonly file: string | null;
}

/** What becomes of a request. */
export interface Explanation {
  /** The request, as it was understood. */
  readonly request: {
    readonly method: string;
    readonly url: string;
    readonly host: string;
    readonly path: string;
    readonly query: string;
    /** The client's address, behind trusted proxies. */
    readonly client: string;
  };
  /** Where it comes in, such as `:8080`; null where nothing listens. */
  readonly listener: string | null;
  /** What was assumed, because the URL does not say it. */
  readonly notes: readonly string[];
  /** The site; null where the request is refused before it belongs to one. */
  readonly site: ExplainedSite | null;
  /** The other sites of the port. */
  readonly otherSites: readonly ExplainedSite[];
  /** Who answers. `refused` is BWS itself, with an error. */
  readonly outcome: "endpoint" | "upstream" | "files" | "redirect" | "refused";
  /** The status, where BWS decides it; null for what an upstream answers, and for endpoints, which tell of the moment. */
  readonly status: number | null;
  /** Why that is so. */
  readonly why: string;
  /** Where a redirect leads. */
  readonly location: string | null;
  /** The route; null where none takes it. */
  readonly route: ExplainedRoute | null;
  /** The other routes: first those whose path matches as well, then the others in the order of the config. */
  readonly otherRoutes: readonly ExplainedRoute[];
  /** How many more there are. */
  readonly moreRoutes: number;
  /** The request that goes upstream; null where none does. */
  readonly forward: ExplainedForward | null;
  /** The pool; null where nothing goes upstream. */
  readonly pool: ExplainedPool | null;
  /** How the file is looked for; null where files are not asked. */
  readonly files: ExplainedFiles | null;
  /** The settings that hold for it, by their key in the config. */
  readonly settings: Readonly<Record<string, string>>;
}
