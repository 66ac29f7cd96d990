// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { Exposition } from "../../lib/metrics/exposition.ts";
import { negotiate } from "../../lib/metrics/exposition_format.ts";
import { Family, type FamilyOptions, type SampleSink } from "../../lib/metrics/family.ts";
import { Labels } from "../../lib/metrics/labels.ts";
import { localMetricFields } from "../../lib/metrics/metric_fields.ts";
import { MetricSet } from "../../lib/metrics/metric_set.ts";
import { checkDistinct } from "./distinct.ts";

function family(name: string, type: FamilyOptions["type"], collect: (sink: SampleSink) => void = () => {}): Family {
  return new Family({ name, help: "Help.", type }, collect);
}

const READING = { bounds: [0.5, 1, 10], counts: [1, 0, 2, 3], sum: 40.5 };
const SAMPLE = [
  new Family(
    { name: "b_seconds", help: 'A "b"\\\n.', type: "histogram", unit: "seconds" },
    (sink) => {
      sink.histogram(Labels.NONE, READING);
      sink.histogram(Labels.of({ pool: "p" }), READING);
    },
  ),
  family("a_total", "counter", (sink) => {
    sink.value(Labels.of({ z: "1", a: '\\"\n' }), 3);
    sink.value(Labels.NONE, 1.5);
  }),
  family("c_info", "info", (sink) => sink.value(Labels.of({ version: "1" }), 1)),
];

const BUCKETS = `b_seconds_bucket{le="0.5"} 1
b_seconds_bucket{le="1.0"} 1
b_seconds_bucket{le="10.0"} 3
b_seconds_bucket{le="+Inf"} 6
b_seconds_sum 40.5
b_seconds_count 6
b_seconds_bucket{pool="p",le="0.5"} 1
b_seconds_bucket{pool="p",le="1.0"} 1
b_seconds_bucket{pool="p",le="10.0"} 3
b_seconds_bucket{pool="p",le="+Inf"} 6
b_seconds_sum{pool="p"} 40.5
b_seconds_count{pool="p"} 6
`;

Deno.test("Exposition.write() writes the Prometheus text format", () => {
  assertEquals(
    new Exposition(SAMPLE).write("prometheus"),
    `# HELP a_total Help.
# TYPE a_total counter
a_total{z="1",a="\\\\\\"\\n"} 3
a_total 1.5
# HELP b_seconds A "b"\\\\\\n.
# TYPE b_seconds histogram
${BUCKETS}# HELP c_info Help.
# TYPE c_info gauge
c_info{version="1"} 1
`,
  );
});

Deno.test("Exposition.write() writes OpenMetrics", () => {
  assertEquals(
    new Exposition(SAMPLE).write("openmetrics"),
    `# TYPE a counter
# HELP a Help.
a_total{z="1",a="\\\\\\"\\n"} 3
a_total 1.5
# TYPE b_seconds histogram
# UNIT b_seconds seconds
# HELP b_seconds A \\"b\\"\\\\\\n.
${BUCKETS}# TYPE c info
# HELP c Help.
c_info{version="1"} 1
# EOF
`,
  );
});

Deno.test("Exposition.write() writes numbers as both formats have them", () => {
  const values = [0.1, -3, 2 ** 53, 1e21, 1e-7, NaN, Infinity, -Infinity];
  const all = family("a", "gauge", (sink) => values.forEach((value) => sink.value(Labels.NONE, value)));
  const written = new Exposition([all]).write("prometheus").split("\n").slice(2, -1).map((line) => line.slice(2));
  assertEquals(written, ["0.1", "-3", "9007199254740992", "1e+21", "1e-7", "NaN", "+Inf", "-Inf"]);
});

Deno.test("Exposition.write() does not depend on the order of the families", () => {
  assertEquals(new Exposition(SAMPLE.toReversed()).write("prometheus"), new Exposition(SAMPLE).write("prometheus"));
});

Deno.test("Exposition refuses families whose names clash", () => {
  const pairs: [Family, Family][] = [
    [family("a_total", "counter"), family("a_total", "counter")],
    [family("a_total", "counter"), family("a", "gauge")],
    [family("a_total", "counter"), family("a_info", "info")],
    [family("a", "histogram"), family("a", "gauge")],
  ];
  for (const pair of pairs) assertThrows(() => new Exposition(pair), TypeError, "belongs to");
  new Exposition([family("a_total", "counter"), family("ab", "histogram"), family("a_b", "gauge")]);
});

Deno.test("Exposition.write() refuses a sample that its family's type does not have", () => {
  const value = family("a", "histogram", (sink) => sink.value(Labels.NONE, 1));
  const histogram = family("a", "gauge", (sink) => sink.histogram(Labels.NONE, READING));
  for (const wrong of [value, histogram]) {
    assertThrows(() => new Exposition([wrong]).write("prometheus"), TypeError, 'in the family "a"');
  }
});

Deno.test("Family refuses names that do not fit type or unit", () => {
  const wrong: FamilyOptions[] = [
    ...["", "1a", "a-b", "a:b", "é"].map((name) => ({ name, help: "Help.", type: "gauge" as const })),
    ...["a_total", "a_sum", "a_count", "a_bucket", "a_created", "a_info"].map((name) => (
      { name, help: "Help.", type: "gauge" as const }
    )),
    { name: "a", help: "Help.", type: "counter" },
    { name: "_total", help: "Help.", type: "counter" },
    { name: "a_count_total", help: "Help.", type: "counter" },
    { name: "a", help: "Help.", type: "info" },
    { name: "a_info", help: "Help.", type: "info", unit: "seconds" },
    { name: "a", help: " ", type: "gauge" },
    { name: "a_bytes", help: "Help.", type: "gauge", unit: "seconds" },
    { name: "seconds", help: "Help.", type: "gauge", unit: "seconds" },
    { name: "a_seconds_total", help: "Help.", type: "counter", unit: "seconds_total" },
  ];
  for (const options of wrong) {
    assertThrows(() => new Family(options, () => {}), TypeError, `Cannot make the family "${options.name}"`);
  }
});

Deno.test("Labels refuse malformed, reserved and repeated names", () => {
  for (const name of ["", "1a", "a-b", "a:b", "le", "quantile", "__name__"]) {
    assertThrows(() => Labels.of({ [name]: "x" }), TypeError, "Cannot name a label");
  }
  assertThrows(() => Labels.of({ a: "1" }).with(Labels.of({ a: "2" })), TypeError, '"a" is in both');
  assertEquals(Labels.of({ a: "1" }).with(Labels.of({ b: "2" })).text, 'a="1",b="2"');
  assertEquals(Labels.NONE.with(Labels.of({ b: "2" })).with(Labels.NONE).text, 'b="2"');
});

Deno.test("Labels replace halves of surrogate pairs, as the wire would", () => {
  assertEquals(Labels.of({ a: "x\ud800" }).text, 'a="x\ufffd"');
});

Deno.test("checkDistinct() finds samples that are there twice, in whatever order their labels are", () => {
  const twice = family("a", "gauge", (sink) => {
    sink.value(Labels.of({ a: "1", b: "2" }), 1);
    sink.value(Labels.of({ b: "2", a: "1" }), 2);
  });
  assertThrows(() => checkDistinct([twice]), TypeError, 'Cannot expose a{b="2",a="1"}');
  checkDistinct(SAMPLE);
});

Deno.test("negotiate() chooses by quality", () => {
  const openmetrics = [
    "application/openmetrics-text",
    "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4," +
    "text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=1.0.0;q=0.9,*/*;q=0.1",
    'text/plain;q=0.5, Application/OpenMetrics-Text ; Version="1.0.0" ; Q=0.7',
    'application/openmetrics-text; note="a;q=0,b"',
    "text/plain;q=0, */*",
    "*/*;q=0.1, application/*",
    "text/*;q=0.5, text/plain;q=0.1, application/*;q=0.2",
  ];
  for (const accept of openmetrics) assertEquals(negotiate(accept).format, "openmetrics", accept);
  const prometheus = [
    ...[undefined, null, "", ",", "*/*", "text/html", "text/html,application/xhtml+xml,*/*;q=0.8"],
    "text/plain;version=0.0.4, application/openmetrics-text;q=0.9",
    "text/plain, application/openmetrics-text",
    "application/openmetrics-text;version=0.0.1,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
    "application/openmetrics-text;q=0",
    "application/openmetrics-text;q=2",
    "application/openmetrics-text;q=0, */*;q=0.1",
    "*/openmetrics-text",
    'application/openmetrics-text;note="',
    `application/openmetrics-text,${" ".repeat(5000)}`,
  ];
  // A note that never ends takes the rest of the field with it, but the range before it stands.
  assertEquals(negotiate(prometheus.splice(-2, 1)[0]).format, "openmetrics");
  for (const accept of prometheus) assertEquals(negotiate(accept).format, "prometheus", String(accept));
});

Deno.test("negotiate() gives the Content-Type of the format", () => {
  assertEquals(negotiate(undefined).contentType, "text/plain; version=0.0.4; charset=utf-8");
  assertEquals(
    negotiate("application/openmetrics-text").contentType,
    "application/openmetrics-text; version=1.0.0; charset=utf-8",
  );
});

/** What 20 families with so many upstreams each are written in. */
function expositionOf(upstreams: number): Exposition {
  const labels = Array.from(
    { length: upstreams },
    (_, index) => Labels.of({ pool: "api", upstream: `http://10.0.0.${index}:8080` }),
  );
  const set = new MetricSet({ durations: { kind: "histogram", help: "Durations." } });
  const values = set.take(localMetricFields(), "a");
  const { durations } = set.metrics;
  const families = Array.from(
    { length: 20 },
    (_, index) =>
      index === 0
        ? family(
          "a",
          "histogram",
          (sink) => labels.forEach((each) => sink.histogram(each, values.histogram(durations))),
        )
        : family(`a${index}_total`, "counter", (sink) => labels.forEach((each, value) => sink.value(each, value))),
  );
  return new Exposition(families);
}

Deno.test("Exposition.write() takes time in proportion to what it writes, and writes all of 500 upstreams", () => {
  const [few, many] = [expositionOf(50), expositionOf(500)];
  const best = { few: Infinity, many: Infinity };
  // In turns, and the best of many: a machine that is busy slows both down, and never all runs.
  for (let run = 0; run < 30; run++) {
    for (const [name, exposition] of [["few", few], ["many", many]] as const) {
      const startMs = performance.now();
      exposition.write("openmetrics");
      best[name] = Math.min(best[name], performance.now() - startMs);
    }
  }
  // Ten times as much; in time that grows with the square it would be a hundred times. bench/metrics.ts has the figure.
  assert(best.many < 40 * best.few, JSON.stringify(best));
  assert(new TextEncoder().encode(many.write("openmetrics")).length > 500_000);
  assertStringIncludes(many.write("prometheus"), 'a19_total{pool="api",upstream="http://10.0.0.499:8080"} 499\n');
});
