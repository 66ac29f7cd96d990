/**
 * The OpenAPI 3.1 document, generated from the table of endpoints.
 *
 * @module
 */

import { z } from "zod";
import { VERSION } from "../version.ts";
import { API_SCHEMAS, refusalSchema } from "./api_schemas.ts";
import type { Endpoint, EndpointResponse, QueryParameter } from "./endpoint.ts";

/** Statuses of refusals, and their reasons. */
const REFUSALS: Readonly<Record<number, string>> = {
  400: "The request is malformed, or names no host.",
  401: "The API key is missing or wrong.",
  403: "The request comes from a page of another site.",
  404: "There is no such thing.",
  408: "The body took too long.",
  409: "It is not possible as things are.",
  413: "The body is too large.",
  415: "The body is of another type.",
  421: "Host is not a name of this listener.",
  422: "The body is understood, but not right.",
  503: "Too many watch already.",
};

/** Generates the document. */
export function openApiDocument(endpoints: readonly Endpoint[]): unknown {
  const { schemas } = z.toJSONSchema(API_SCHEMAS, { target: "draft-2020-12", uri: refTo, io: "input" });
  const paths = Object.entries(Object.groupBy(endpoints, ({ path }) => path));
  return {
    openapi: "3.1.0",
    info: {
      title: "BWS management API",
      version: VERSION,
      description:
        "Reports on a running BWS, and changes it. What is changed here is in memory alone: it ends with the " +
        "program, and upstreams that were added or taken out are as in the config again after a reload.",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "/" }],
    security: [{ bearer: [] }, { header: [] }, {}],
    paths: Object.fromEntries(paths.map(([path, here]) => [path, pathItem(path, here ?? [])])),
    components: {
      securitySchemes: {
        bearer: { type: "http", scheme: "bearer" },
        header: { type: "apiKey", in: "header", name: "X-API-Key" },
      },
      schemas: Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, bare(schema)])),
    },
  };
}

function pathItem(path: string, endpoints: readonly Endpoint[]): Record<string, unknown> {
  const id = { name: "id", in: "path", required: true, schema: { type: "string" } };
  return {
    ...(path.endsWith("{id}") ? { parameters: [id] } : {}),
    ...Object.fromEntries(endpoints.map((endpoint) => [endpoint.method.toLowerCase(), operation(endpoint)])),
  };
}

function operation(
  { name, summary, open, force, query = [], body, responses, path }: Endpoint,
): Record<string, unknown> {
  const refusals = Object.keys(REFUSALS).map(Number).filter((status) => applies(status, { path, body, open }));
  const parameters = [
    ...(force === undefined
      ? []
      : [{ name: "force", in: "query", description: force, schema: { type: "boolean", default: false } }]),
    ...query.map(queryParameter),
  ];
  return {
    operationId: name,
    summary,
    ...(open === true ? { security: [] } : {}),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : {
      requestBody: {
        required: body.optional !== true,
        content: { [body.type]: { schema: body.schema === undefined ? {} : schemaOf(body.schema) } },
      },
    }),
    responses: {
      ...Object.fromEntries(Object.entries(responses).map(([status, response]) => [status, documented(response)])),
      ...Object.fromEntries(refusals.map((status) => [status, {
        description: REFUSALS[status],
        content: { "application/problem+json": { schema: schemaOf(refusalSchema) } },
      }])),
    },
  };
}

function queryParameter({ name, description, required, many }: QueryParameter): Record<string, unknown> {
  const text = { type: "string" };
  return {
    name,
    in: "query",
    description,
    required: required === true,
    schema: many ? { type: "array", items: text } : text,
  };
}

function applies(status: number, { path, body, open }: Pick<Endpoint, "path" | "body" | "open">): boolean {
  if (status === 401) return open !== true;
  if (status === 404) return path.endsWith("{id}") || path === "/metrics";
  if (status === 503) return path === "/api/events";
  if (status === 409) return path.startsWith("/api/upstreams") || path === "/api/config/reload";
  if ([408, 413, 415].includes(status)) return body !== undefined;
  return status !== 422 || body !== undefined;
}

function documented({ description, type = "application/json", schema }: EndpointResponse): Record<string, unknown> {
  if (schema === undefined && type === "application/json") return { description };
  return { description, content: { [type]: { schema: schema === undefined ? { type: "string" } : schemaOf(schema) } } };
}

function schemaOf(schema: z.ZodType): unknown {
  const named = API_SCHEMAS.get(schema);
  if (named !== undefined) return { $ref: refTo(named.id) };
  // Named schemas inside become references to local definitions; the document has the same definitions.
  const { $defs: _, ...rest } = z.toJSONSchema(schema, {
    target: "draft-2020-12",
    io: "input",
    metadata: API_SCHEMAS,
  });
  return bare(JSON.parse(JSON.stringify(rest).replaceAll('"#/$defs/', `"${refTo("")}`)));
}

function refTo(id: string): string {
  return `#/components/schemas/${id}`;
}

function bare({ $schema: _schema, $id: _id, ...rest }: Record<string, unknown>): Record<string, unknown> {
  return rest;
}
