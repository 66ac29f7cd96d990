// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertThrows } from "@std/assert";
import { Exposition } from "../../lib/metrics/exposition.ts";
import { Labels } from "../../lib/metrics/labels.ts";
import { localMetricFields, type MetricFields, sumAt } from "../../lib/metrics/metric_fields.ts";
import { MetricSet } from "../../lib/metrics/metric_set.ts";
import { STATUS_CLASSES, statusClassIndex } from "../../lib/metrics/status_class.ts";
import { SharedMemoryState } from "../../lib/state/shared_memory_state.ts";

/** Fields of three workers, of which this is the second. */
function fieldsOfThree(count: number): MetricFields {
  const all = [new Float64Array(count), new Float64Array(count), new Float64Array(count)];
  return { own: all[1], all };
}

const SET = new MetricSet({
  first: { kind: "counter", name: "first_total", help: "First." },
  answers: {
    ...{ kind: "counter", name: "answers_total", help: "Responses." },
    labels: [["method", ["GET", "POST"]], ["class", STATUS_CLASSES]],
    hideZero: ["other"],
  },
  open: { kind: "gauge", name: "open", help: "Open.", group: "sockets" },
  unnamed: { kind: "gauge", help: "Not scraped." },
});
const { first, answers, open, unnamed } = SET.metrics;

/** The samples that are scraped. */
function samples(set: { families: typeof SET.families }, things: Parameters<typeof SET.families>[0]): string[] {
  return new Exposition(set.families(things)).write("prometheus").split("\n").filter((line) =>
    line !== "" && !line.startsWith("#")
  );
}

Deno.test("a metric that is declared once and counted is in the exposition and in the snapshot, over two workers", () => {
  // These two places are all that a new counter takes: its declaration …
  const set = new MetricSet({ picks: { kind: "counter", name: "bws_pool_picks_total", help: "Upstreams chosen." } });
  const supervisor = new SharedMemoryState({ index: 2, count: 3 });
  const scraped = set.take((count, name) => supervisor.takeMetricFields(count, name), "pool app");
  for (const index of [0, 1]) {
    const worker = new SharedMemoryState({ index, count: 3 }, supervisor.table);
    const values = set.take((count, name) => worker.takeMetricFields(count, name), "pool app");
    // … and the event.
    for (let picks = 0; picks <= index; picks++) values.add(set.metrics.picks);
  }
  const labels = Labels.of({ pool: "app" });
  assertEquals(
    new Exposition(set.families(() => [{ values: scraped, labels }])).write("openmetrics"),
    '# TYPE bws_pool_picks counter\n# HELP bws_pool_picks Upstreams chosen.\nbws_pool_picks_total{pool="app"} 3\n# EOF\n',
  );
  assertEquals(scraped.snapshot(), { picks: 3 });
  assertEquals([0, 1, 2].map((worker) => scraped.snapshot(worker).picks), [1, 2, 0]);
});

Deno.test("localMetricFields() gives the same fields for the same name, as a reload needs", () => {
  const take = localMetricFields();
  SET.take(take, "a").add(first, 3);
  assertEquals(SET.take(take, "a").value(first), 3);
  assertEquals(SET.take(take, "b").value(first), 0);
  assertEquals(take(1, "c").all, [take(1, "c").own]);
  assertThrows(() => take(2, "c"), RangeError, 'Cannot take 2 fields as "c": it was taken with 1');
});

Deno.test("MetricValues.add() writes the fields of its worker only, and value() reads the sum of all", () => {
  const fields = fieldsOfThree(SET.size);
  fields.all[0][first.at] = 10;
  fields.all[2][first.at] = 100;
  const values = SET.take(() => fields, "a");
  values.add(first);
  values.add(first, 0.5);
  assertEquals([values.value(first), values.value(first, 0, 2), values.value(first, 0, 9)], [111.5, 100, 0]);
  assertEquals(fields.all.map((own) => own[first.at]), [10, 1.5, 100]);
  assertEquals(fields.all.map((own) => own.slice(first.at + 1).every((value) => value === 0)), [true, true, true]);
});

Deno.test("MetricValues.add() never counts down and never becomes NaN", () => {
  const values = SET.take(localMetricFields(), "a");
  for (const amount of [1, -1, NaN, 0]) values.add(first, amount);
  assertEquals(values.value(first), 1);
});

Deno.test("statusClassIndex() has every status in its class, and in one only", () => {
  for (let status = -1; status <= 1000; status++) {
    const expected = status >= 100 && status <= 599 ? `${Math.floor(status / 100)}xx` : "other";
    assertEquals(STATUS_CLASSES[statusClassIndex(status)], expected, String(status));
  }
  assertEquals(statusClassIndex(NaN), 0);
});

Deno.test("a metric with labels has a field for each combination, and its snapshot sums up by the last label", () => {
  const values = SET.take(localMetricFields(), "a");
  const count = (method: number, status: number) =>
    values.add(answers, 1, method * STATUS_CLASSES.length + statusClassIndex(status));
  count(0, 404);
  count(1, 404);
  count(1, 200);
  assertEquals(SET.size, 1 + 2 * 6 + 1 + 1);
  assertEquals([values.value(first), values.value(open)], [0, 0], "neighbours stay as they were");
  assertEquals(values.snapshot().answers, { other: 0, "1xx": 0, "2xx": 1, "3xx": 0, "4xx": 2, "5xx": 0 });
  const lines = samples(SET, () => [{ values, labels: Labels.of({ pool: "api" }) }]);
  assertEquals(lines.includes('answers_total{pool="api",method="POST",class="4xx"} 1'), true, lines.join("\n"));
});

Deno.test("samples that are zero are left out where the declaration says so, and groups that a thing does not have", () => {
  const values = SET.take(localMetricFields(), "a");
  const scraped = (groups?: string[]) =>
    samples(SET, () => [{ values, labels: Labels.of({ pool: "api" }), ...(groups === undefined ? {} : { groups }) }]);
  assertEquals(scraped().length, 1 + 2 * 5);
  values.add(answers, 1, statusClassIndex(NaN));
  assertEquals(scraped()[0], 'answers_total{pool="api",method="GET",class="other"} 1');
  assertEquals(scraped().length, 1 + 2 * 5 + 1);
  assertEquals(scraped(["other"]).length, 12);
  assertEquals(scraped(["sockets"]).at(-1), 'open{pool="api"} 0');
});

Deno.test("MetricValues.clearGauges() forgets what a worker had open, and keeps what it counted", () => {
  const fields = fieldsOfThree(SET.size);
  const values = SET.take(() => fields, "a");
  values.add(first, 2);
  values.change(open, 3);
  values.set(unnamed, 4);
  fields.all[2].fill(1);
  values.clearGauges(2);
  assertEquals([values.value(first), values.value(open), values.value(unnamed)], [3, 3, 4]);
  values.change(open, -1);
  assertEquals(values.value(open), 2);
  values.clearGauges();
  assertEquals([values.value(first), values.value(open), values.value(unnamed)], [3, 0, 0]);
});

Deno.test("MetricSet.families() refuses a name that does not fit its kind", () => {
  const set = new MetricSet({ picks: { kind: "counter", name: "picks", help: "Picks." } });
  assertThrows(() => set.families(() => []), TypeError, 'Cannot make the family "picks"');
});

Deno.test("sumAt() adds up the field of each worker", () => {
  const fields = fieldsOfThree(2);
  for (const [index, own] of fields.all.entries()) own[1] = 10 ** index;
  assertEquals(sumAt(fields, 1), 111);
});
