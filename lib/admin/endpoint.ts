/**
 * The endpoints of the management API as a table, used to handle requests and to generate the OpenAPI document, so that the
 * two cannot differ.
 *
 * @module
 */

import type { z } from "zod";
import { AdminRefusal } from "./admin_response.ts";

/** A request for an endpoint. */
export interface Call {
  /** The request; its body has been read where the endpoint has one. */
  readonly request: Request;
  /** The part of the path at `{id}`, or empty. */
  readonly id: string;
  /** The body. */
  readonly text: string;
  /** Whether the query says `force=true`. */
  readonly force: boolean;
}

/** The content of a response, for the document. */
export interface EndpointResponse {
  readonly description: string;
  /** Its media type; JSON without one. */
  readonly type?: string;
  /** Schema of the JSON. */
  readonly schema?: z.ZodType;
}

/** A parameter of the query, for the document. */
export interface QueryParameter {
  readonly name: string;
  readonly description: string;
  /** Whether it must be there. */
  readonly required?: boolean;
  /** Whether it may be repeated. */
  readonly many?: boolean;
}

/** One method of one path. */
export interface Endpoint {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  /** The path; its last part may be `{id}`. */
  readonly path: string;
  /** The `operationId` of the document. */
  readonly name: string;
  /** A sentence for the document. */
  readonly summary: string;
  /** Whether it needs no API key. */
  readonly open?: boolean;
  /** What `?force=true` does, in a sentence; absent where it does nothing. */
  readonly force?: string;
  /** The parameters that its query may have. */
  readonly query?: readonly QueryParameter[];
  /** The body of the request. */
  readonly body?: { readonly type: string; readonly schema?: z.ZodType; readonly optional?: boolean };
  /** Responses by status, without refusals. */
  readonly responses: Readonly<Record<number, EndpointResponse>>;
  /** Responds to a call. */
  handle(call: Call): Response | Promise<Response>;
}

/** An endpoint and the part of the path at `{id}`. */
export interface FoundEndpoint {
  readonly endpoint: Endpoint;
  readonly id: string;
}

/** All endpoints. */
export class EndpointTable {
  readonly endpoints: readonly Endpoint[];
  readonly #byPath: ReadonlyMap<string, readonly Endpoint[]>;

  constructor(endpoints: readonly Endpoint[]) {
    this.endpoints = endpoints;
    this.#byPath = Map.groupBy(endpoints, ({ path }) => path);
  }

  /**
   * The endpoint for a method and a path. HEAD has the endpoint of GET.
   *
   * @throws {AdminRefusal} 404, or 405 with Allow.
   */
  find(method: string, path: string): FoundEndpoint {
    const slash = path.lastIndexOf("/") + 1;
    const exact = this.#byPath.get(path);
    const named = this.#byPath.get(path.slice(0, slash) + "{id}");
    const id = exact === undefined ? decoded(path.slice(slash)) : "";
    const here = exact ?? (id === "" ? undefined : named);
    if (here === undefined) throw new AdminRefusal(404, "There is no such path");
    const wanted = method === "HEAD" ? "GET" : method;
    const endpoint = here.find((candidate) => candidate.method === wanted);
    if (endpoint !== undefined) return { endpoint, id };
    const allow = here.flatMap(({ method }) => method === "GET" ? ["GET", "HEAD"] : [method]).join(", ");
    throw new AdminRefusal(405, `${method} is not possible here, only ${allow}`, { headers: { allow } });
  }
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return "";
  }
}
