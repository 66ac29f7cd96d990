/**
 * The OpenAPI document is valid, and says what there is: no more and no less.
 *
 * @module
 */

// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { Validator } from "npm:@seriousme/openapi-schema-validator@2.11.0";
import { NamedUpstream, RunningManagement } from "./running_management.ts";

interface Operation {
  operationId: string;
  security?: unknown[];
  requestBody?: { content: Record<string, unknown> };
  responses: Record<string, { content?: Record<string, unknown> }>;
}

interface Document {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
}

const METHODS = ["get", "post", "put", "patch", "delete"];

Deno.test("GET /api/openapi.json is a valid OpenAPI 3.1 document", async () => {
  await using upstream = new NamedUpstream("one");
  await using running = await RunningManagement.start({ upstreams: [upstream.url] });
  const document: Document = await running.told("/api/openapi.json");
  const validator = new Validator();
  const { valid, errors } = await validator.validate({ ...structuredClone(document) });
  assertEquals([valid, errors], [true, undefined]);
  assertEquals([document.openapi, validator.version], ["3.1.0", "3.1"]);
  const ids = operationsOf(document).map(({ operation }) => operation.operationId);
  assertEquals(new Set(ids).size, ids.length);
  // The validator can fail.
  const broken = { ...document, paths: { "/x": { get: { responses: { 200: {} } } } } };
  assertEquals((await new Validator().validate(broken)).valid, false);
});

Deno.test("what the document names is there, with the media types that it names, and nothing else is", async () => {
  await using upstream = new NamedUpstream("one");
  await using running = await RunningManagement.start({ upstreams: [upstream.url, "http://127.0.0.1:1"] });
  const document: Document = await running.told("/api/openapi.json");
  const id = await running.idOf(upstream.url);
  const operations = operationsOf(document);
  assert(operations.length > 10);
  for (const { path, method, operation } of operations) {
    const [type] = Object.keys(operation.requestBody?.content ?? {});
    const response = await running.ask(path.replace("{id}", id), {
      method: method.toUpperCase(),
      ...(type === undefined ? {} : { headers: { "content-type": type }, body: "{}" }),
    });
    const { status, headers } = response;
    await response.body?.cancel();
    const told = operation.responses[status];
    assert(told !== undefined, `${method} ${path} answered ${status}, which is not in the document`);
    const contentType = headers.get("content-type")?.split(";")[0];
    if (told.content !== undefined) {
      assert(contentType !== undefined && contentType in told.content, `${path} ${status}`);
    }
  }
  for (const [path, item] of Object.entries(document.paths)) {
    for (const method of METHODS.filter((method) => item[method] === undefined)) {
      const response = await running.ask(path.replace("{id}", id), { method: method.toUpperCase() });
      await response.body?.cancel();
      assertEquals(response.status, 405, `${method} ${path}`);
    }
  }
});

Deno.test("the document marks the paths that need no key, and they are those that need none", async () => {
  await using upstream = new NamedUpstream("one");
  await using running = await RunningManagement.start({ upstreams: [upstream.url], management: { api_key: "k" } });
  const document: Document = await running.told("/api/openapi.json", { headers: { "x-api-key": "k" } });
  for (const { path, method, operation } of operationsOf(document)) {
    const response = await running.ask(path, { method: method.toUpperCase() });
    await response.body?.cancel();
    assertEquals(response.status === 401, operation.security === undefined, `${method} ${path}`);
  }
});

function operationsOf({ paths }: Document): { path: string; method: string; operation: Operation }[] {
  return Object.entries(paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) => item[method] === undefined ? [] : [{ path, method, operation: item[method] }])
  );
}
