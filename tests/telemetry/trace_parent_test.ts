// @ts-types="../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { formatTraceParent, parseTraceParent } from "../../lib/telemetry/trace_parent.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const SPAN = "b7ad6b7169203331";

Deno.test("parseTraceParent() reads the caller's trace, span and flags", () => {
  assertEquals(parseTraceParent(`00-${TRACE}-${SPAN}-01`), { traceId: TRACE, spanId: SPAN, traceFlags: 1 });
  assertEquals(parseTraceParent(`00-${TRACE}-${SPAN}-02`)?.traceFlags, 2);
});

Deno.test("parseTraceParent() reads later versions, which may be longer", () => {
  assertEquals(parseTraceParent(`01-${TRACE}-${SPAN}-01-more`)?.traceId, TRACE);
});

Deno.test("parseTraceParent() takes no value of another form", () => {
  const broken = [
    "",
    `00-${TRACE}-${SPAN}`,
    `00-${TRACE}-${SPAN}-01-more`,
    `00-${TRACE}-${SPAN}-1`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${TRACE.slice(1)}-${SPAN}-01`,
    `ff-${TRACE}-${SPAN}-01`,
    `00-${"0".repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${"0".repeat(16)}-01`,
    `00-${TRACE}-${SPAN}-01, 00-${TRACE}-${SPAN}-01`,
    ` 00-${TRACE}-${SPAN}-01`,
  ];
  assertEquals(broken.filter((value) => parseTraceParent(value) !== undefined), []);
});

Deno.test("formatTraceParent() sends the flag of recording, and no flag that it does not know", () => {
  assertEquals(formatTraceParent({ traceId: TRACE, spanId: SPAN, traceFlags: 3 }), `00-${TRACE}-${SPAN}-01`);
  assertEquals(formatTraceParent({ traceId: TRACE, spanId: SPAN, traceFlags: 2 }), `00-${TRACE}-${SPAN}-00`);
});
