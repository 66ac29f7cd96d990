// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { localMetricFields } from "../../lib/metrics/metric_fields.ts";
import { WorkerMetrics } from "../../lib/metrics/worker_metrics.ts";
import { AWKWARD_HELP, AWKWARD_VALUE, MISSING_CODE, runFirst, sampleExposition } from "./sample_exposition.ts";

/** Says what Python's strict parser understood. */
const PYTHON = `
import json, sys
try:
    from prometheus_client.openmetrics.parser import text_fd_to_metric_families as openmetrics
    from prometheus_client.parser import text_fd_to_metric_families as prometheus
except ImportError:
    sys.exit(${MISSING_CODE})
import io
text = io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8", newline="\\n")
families = {"openmetrics": openmetrics, "prometheus": prometheus}[sys.argv[1]](text)
print(json.dumps([
    {"name": f.name, "help": f.documentation, "type": f.type, "unit": f.unit,
     "samples": [[s.name, s.labels, repr(float(s.value))] for s in f.samples]} for f in families
]))
`;
/** That of another Python on the PATH may lack the module which the system's has. */
const PYTHONS = ["python3", "/usr/bin/python3"];

interface Parsed {
  name: string;
  help: string;
  type: string;
  unit: string;
  samples: [name: string, labels: Record<string, string>, value: string][];
}

async function parse(format: "openmetrics" | "prometheus"): Promise<Map<string, Parsed> | undefined> {
  using worker = new WorkerMetrics(localMetricFields());
  const ran = await runFirst(PYTHONS, ["-c", PYTHON, format], sampleExposition(worker).write(format));
  if (ran === undefined) return say("skipped: python3 has no prometheus_client (Debian: python3-prometheus-client)");
  assertEquals(ran.code, 0, ran.text);
  return new Map((JSON.parse(ran.text) as Parsed[]).map((family) => [family.name, family]));
}

function say(line: string): undefined {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

Deno.test("Exposition.write() passes promtool check metrics", async () => {
  using worker = new WorkerMetrics(localMetricFields());
  const text = sampleExposition(worker).write("prometheus");
  const ran = await runFirst(["promtool"], ["check", "metrics"], text);
  if (ran === undefined) return say("skipped: promtool is not on this machine (Debian: prometheus)");
  assertEquals(ran, { code: 0, text: "" });
});

Deno.test("promtool check metrics sees what is wrong, so that passing it means something", async () => {
  using worker = new WorkerMetrics(localMetricFields());
  const text = sampleExposition(worker).write("prometheus");
  const ran = await runFirst(["promtool"], ["check", "metrics"], `${text}# TYPE bws_weight gauge\n`);
  if (ran === undefined) return say("skipped: promtool is not on this machine (Debian: prometheus)");
  assert(ran.code !== 0);
  assertStringIncludes(ran.text, "bws_weight");
});

Deno.test("Exposition.write() is read as OpenMetrics by a strict parser, whole and unchanged", async () => {
  const families = await parse("openmetrics");
  if (families === undefined) return;
  const answers = families.get("bws_responses")!;
  assertEquals([answers.type, answers.help], ["counter", AWKWARD_HELP]);
  const awkward = answers.samples.find(([, labels]) => labels.pool !== "api" && labels.class === "4xx");
  assertEquals(awkward, ["bws_responses_total", { pool: AWKWARD_VALUE, upstream: "", class: "4xx" }, "2.0"]);
  const durations = families.get("bws_request_duration_seconds")!;
  assertEquals([durations.type, durations.unit, durations.samples.length], ["histogram", "seconds", 2 * 19]);
  assertEquals(families.get("bws_weight")!.samples.map(([, , value]) => value), [
    ...["0.1", "-3.0", "1e+21", "1e-07", "nan", "inf", "-inf"],
  ]);
  assertEquals(families.get("bws_received_bytes")!.samples[0][2], "9007199254740992.0");
  const build = families.get("bws_build")!;
  assertEquals([build.type, build.samples[0][0], build.samples[0][1].version], ["info", "bws_build_info", "1.2.3"]);
  assertEquals(families.get("process_start_time_seconds")!.samples[0][2], "1700000000.123");
});

Deno.test("Exposition.write() is read as 0.0.4 with the same labels and values", async () => {
  const families = await parse("prometheus");
  if (families === undefined) return;
  const answers = families.get("bws_responses")!;
  const awkward = answers.samples.find(([, labels]) => labels.pool !== "api" && labels.class === "4xx");
  assertEquals(awkward?.[1], { pool: AWKWARD_VALUE, upstream: "", class: "4xx" });
  assertEquals(families.get("bws_build_info")!.type, "gauge");
  assertEquals(families.get("bws_request_duration_seconds")!.samples.length, 2 * 19);
});
