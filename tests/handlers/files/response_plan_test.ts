// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals, assertMatch, assertNotStrictEquals } from "@std/assert";
import type { ByteSpan } from "../../../lib/handlers/files/byte_ranges.ts";
import { represent, type RepresentationOptions } from "../../../lib/handlers/files/representation.ts";
import { readRequestFields } from "../../../lib/handlers/files/request_fields.ts";
import { type Piece, planResponse } from "../../../lib/handlers/files/response_plan.ts";

const MODIFIED_MS = Date.UTC(2026, 0, 2, 3, 4, 5);
const NOW_MS = MODIFIED_MS + 3_600_000;
const MODIFIED = "Fri, 02 Jan 2026 03:04:05 GMT";

/** A file of 100 bytes. */
function fileOf(options: Partial<RepresentationOptions> = {}) {
  const stamp = { sizeBytes: 100, modifiedMs: MODIFIED_MS, changedMs: MODIFIED_MS, device: 1, inode: 2 };
  return represent({ kind: "file", path: "/a.txt", realPath: "/srv/a.txt", stamp }, {
    ...{ contentType: "text/plain", coding: "", varies: false, lines: ["cache-control", "max-age=60"], nowMs: NOW_MS },
    ...options,
  });
}

const FILE = fileOf();
const TAG = FILE.entityTag as string;

function plan(lines: Record<string, string>, { method = "GET", file = FILE, nowMs = NOW_MS } = {}) {
  return planResponse(
    { method, fields: readRequestFields(Object.entries(lines).flat()), takesPassed: false },
    file,
    nowMs,
  );
}

/** The value of a header line. */
function value({ headers }: { headers: readonly string[] }, name: string): string | undefined {
  const at = headers.findIndex((line, index) => index % 2 === 0 && line === name);
  return at < 0 ? undefined : headers[at + 1];
}

const isSpan = (piece: Piece): piece is ByteSpan => !(piece instanceof Uint8Array);

Deno.test("planResponse() gives the whole file to a GET, its lines alone to a HEAD", () => {
  const get = plan({});
  assertEquals([get.status, get.headers, get.pieces], [200, FILE.okLines, [{ startByte: 0, endByte: 100 }]]);
  const head = plan({ range: "bytes=0-9" }, { method: "HEAD" });
  assertEquals([head.status, head.headers, head.pieces], [200, FILE.okLines, undefined]);
  // Filters add to the lines of one response, and not to those of the next.
  assertNotStrictEquals(get.headers, FILE.okLines);
});

Deno.test("planResponse() gives 304 with its validators and no length, before it looks at Range", () => {
  const conditions: Record<string, string>[] = [{ "if-none-match": `W/"x", ${TAG}` }, {
    "if-modified-since": MODIFIED,
  }];
  for (const lines of conditions) {
    const planned = plan({ ...lines, range: "bytes=0-9" });
    assertEquals([planned.status, planned.headers, planned.pieces], [304, FILE.notModifiedLines, undefined]);
    assertEquals([value(planned, "etag"), value(planned, "content-length")], [TAG, undefined]);
  }
});

Deno.test("planResponse() gives 412 without lines where a precondition fails", () => {
  const before = "Thu, 01 Jan 2026 00:00:00 GMT";
  const conditions: Record<string, string>[] = [{ "if-match": '"other"' }, { "if-unmodified-since": before }];
  for (const lines of conditions) {
    assertEquals(plan({ ...lines, range: "bytes=0-9" }), {
      ...{ status: 412, headers: [], passed: undefined, pieces: undefined },
    });
  }
  assertEquals(plan({ "if-match": TAG }).status, 200);
});

Deno.test("planResponse() gives one range as 206, with its length and its place", () => {
  const planned = plan({ range: "bytes=10-19" });
  assertEquals([planned.status, planned.pieces], [206, [{ startByte: 10, endByte: 20 }]]);
  assertEquals([value(planned, "content-length"), value(planned, "content-range")], ["10", "bytes 10-19/100"]);
  assertEquals([value(planned, "etag"), value(planned, "cache-control")], [TAG, "max-age=60"]);
});

Deno.test("planResponse() gives several ranges as multipart, whose length is that of its pieces", () => {
  const planned = plan({ range: "bytes=0-9,50-59" });
  assertEquals(planned.status, 206);
  assertMatch(value(planned, "content-type") ?? "", /^multipart\/byteranges; boundary=/);
  assertEquals(value(planned, "content-range"), undefined);
  const pieces = planned.pieces ?? [];
  assertEquals(pieces.filter(isSpan), [{ startByte: 0, endByte: 10 }, { startByte: 50, endByte: 60 }]);
  const lengths = pieces.map((piece) => isSpan(piece) ? piece.endByte - piece.startByte : piece.length);
  assertEquals(value(planned, "content-length"), String(lengths.reduce((sum, length) => sum + length)));
});

Deno.test("planResponse() gives several ranges of a compressed file as the whole, one as a range", () => {
  const file = fileOf({ coding: "gzip" });
  const several = plan({ range: "bytes=0-9,50-59" }, { file });
  assertEquals([several.status, value(several, "content-encoding")], [200, "gzip"]);
  const one = plan({ range: "bytes=0-9" }, { file });
  assertEquals([one.status, value(one, "content-encoding")], [206, "gzip"]);
});

Deno.test("planResponse() gives 416 with the size alone for a range beyond the file, the whole for one that is none", () => {
  const beyond = plan({ range: "bytes=100-" });
  assertEquals(beyond, {
    ...{ status: 416, headers: ["content-range", "bytes */100"], passed: undefined, pieces: undefined },
  });
  for (const range of ["bytes=9-1", "lines=1-2", "bytes=a"]) assertEquals(plan({ range }).status, 200);
});

Deno.test("planResponse() takes Range only where If-Range names this very file", () => {
  const status = (ifRange: string, nowMs = NOW_MS) =>
    plan({ range: "bytes=0-9", "if-range": ifRange }, { nowMs }).status;
  assertEquals([status(TAG), status('"other"'), status(`W/${TAG}`)], [206, 200, 200]);
  assertEquals([status(MODIFIED), status("Thu, 01 Jan 2026 00:00:00 GMT")], [206, 200]);
  // A file that changed a second ago may have changed twice in it.
  assertEquals(status(MODIFIED, MODIFIED_MS + 1000), 200);
});
