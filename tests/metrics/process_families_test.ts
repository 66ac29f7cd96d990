// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { checkDistinct } from "./distinct.ts";
import { Exposition } from "../../lib/metrics/exposition.ts";
import { LoopDelay } from "../../lib/metrics/loop_delay.ts";
import { localMetricFields, type TakeMetricFields } from "../../lib/metrics/metric_fields.ts";
import { processFamilies } from "../../lib/metrics/process_families.ts";
import { WorkerMetrics } from "../../lib/metrics/worker_metrics.ts";
import { until } from "../support/condition.ts";
import { openFilesOfProgram } from "../support/open_files_program.ts";

function valuesOf(worker: WorkerMetrics): Map<string, number> {
  const families = processFamilies({ version: "1.2.3", worker });
  checkDistinct(families);
  const lines = new Exposition(families).write("prometheus").split("\n");
  return new Map(
    lines.filter((line) => line !== "" && !line.startsWith("#")).map((line) => {
      const space = line.lastIndexOf(" ");
      return [line.slice(0, space), Number(line.slice(space + 1))];
    }),
  );
}

Deno.test("processFamilies() describes this process", () => {
  using worker = new WorkerMetrics(localMetricFields());
  const values = valuesOf(worker);
  assert(values.get("process_resident_memory_bytes")! > 10e6);
  assert(values.get("process_cpu_seconds_total")! > 0);
  const startedMs = values.get("process_start_time_seconds")! * 1000;
  assert(startedMs <= Date.now() && startedMs > Date.now() - 3600e3);
  assertEquals(
    values.get(`bws_build_info{version="1.2.3",deno="${Deno.version.deno}",v8="${Deno.version.v8}"}`),
    1,
  );
  assert(values.get('bws_worker_heap_used_bytes{worker="0"}')! > 1e5);
  assert(
    values.get('bws_worker_heap_total_bytes{worker="0"}')! >= values.get('bws_worker_heap_used_bytes{worker="0"}')!,
  );
});

Deno.test({
  name: "processFamilies() counts open files",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const [before, after] = await openFilesOfProgram();
    assertEquals(before.metric, before.byHand);
    assertEquals(after.metric, before.metric + 50);
  },
});

Deno.test("processFamilies() leaves out what it has no permission for, and asks for none", async () => {
  const source = `
    import { Exposition } from "${new URL("../../lib/metrics/exposition.ts", import.meta.url)}";
    import { localMetricFields } from "${new URL("../../lib/metrics/metric_fields.ts", import.meta.url)}";
    import { processFamilies } from "${new URL("../../lib/metrics/process_families.ts", import.meta.url)}";
    import { WorkerMetrics } from "${new URL("../../lib/metrics/worker_metrics.ts", import.meta.url)}";
    const worker = new WorkerMetrics(localMetricFields());
    console.log(new Exposition(processFamilies({ version: "1", worker })).write("prometheus"));
  `;
  for (const permissions of [[], ["--allow-read"]]) {
    // No input: a prompt would fail the run. The timer must not keep it alive either.
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--no-check",
        "--no-config",
        "--no-prompt",
        ...permissions,
        `data:text/javascript,${encodeURIComponent(source)}`,
      ],
    }).output();
    const text = new TextDecoder().decode(stdout);
    assert(success, new TextDecoder().decode(stderr));
    assert(text.includes("process_resident_memory_bytes ") && !text.includes("\nprocess_open_fds "), text);
  }
});

Deno.test("LoopDelay reports how late samples are, over its window", () => {
  const delay = new LoopDelay(0, { periodMs: 100, windowMs: 1000 });
  assertEquals(delay.read(), { p50Seconds: 0, p99Seconds: 0, maxSeconds: 0 });
  let nowMs = 0;
  for (const lateMs of [1, 1, 1, 1, 1, 1, 1, 1, 2, 500]) delay.sample(nowMs += 100 + lateMs);
  assertEquals(delay.read(), { p50Seconds: 0.001, p99Seconds: 0.5, maxSeconds: 0.5 });
  for (let n = 0; n < 10; n++) delay.sample(nowMs += 99);
  assertEquals(delay.read(), { p50Seconds: 0, p99Seconds: 0, maxSeconds: 0 });
});

Deno.test("WorkerMetrics sees a loop that was blocked, and every worker's metrics", async () => {
  const all = [new Float64Array(5), new Float64Array(5), new Float64Array(5)];
  const take: TakeMetricFields = () => ({ own: all[1], all });
  all[2].set([1, 2, 3, 4, 5]);
  {
    using worker = new WorkerMetrics(take, { periodMs: 10, windowMs: 2000 });
    const blockedUntil = performance.now() + 200;
    while (performance.now() < blockedUntil); // the loop is blocked
    await until("the delay", () => {
      worker.publish();
      return worker.snapshots()[0].loopDelayMaxSeconds > 0.15;
    });
    assertEquals(worker.snapshots().map(({ worker }) => worker), [1, 2]);
    assertEquals(worker.snapshots()[1], {
      ...{ worker: 2, heapUsedBytes: 1, heapTotalBytes: 2 },
      ...{ loopDelayP50Seconds: 3, loopDelayP99Seconds: 4, loopDelayMaxSeconds: 5 },
    });
    assert(valuesOf(worker).has('bws_worker_loop_delay_max_seconds{worker="2"}'));
  }
  assertEquals([...all[1]], [0, 0, 0, 0, 0], "an ended worker has no metrics");
});

Deno.test("WorkerMetrics publishes by itself", async () => {
  const take = localMetricFields();
  using _worker = new WorkerMetrics(take, { periodMs: 5 });
  const { own } = take(5, "bws_worker");
  own.fill(0);
  await until("metrics", () => own[1] > 0);
});
