import { assertErrors, assertWarnings, PROXY } from "./marked_config.ts";

const DURATION = 'a duration above 0 to 24 days: seconds, or text such as "250ms", "30s", "1m30s", "1h", "7d"';

Deno.test("parseConfig() warns of keys of a request where probes only open a connection", () => {
  const keys = '«path» = "/"\n«method» = "HEAD"\n«expect_status» = 200\n«expect_body» = "ok"\n«headers» = { A = "b" }';
  const table = `${PROXY}[sites.proxy.health_check]\n`;
  assertWarnings(
    `${table}kind = "tcp"\n${keys}`,
    ["path", "method", "expect_status", "expect_body", "headers"].map((key) =>
      `${key} has no effect with kind = "tcp", which only opens a connection, expected kind = "http"`
    ),
  );
  const plain = keys.replace(/[«»]/g, "");
  assertWarnings(`${table}kind = "http"\n${plain}`, []);
  assertWarnings(`${table}enabled = false\nkind = "tcp"\n${plain}`, []);
  assertWarnings(`${table}kind = "tcp"\nport = 80`, []);
});

Deno.test("parseConfig() warns of a probe that may take longer than the interval", () => {
  const table = `${PROXY}[sites.proxy.health_check]\n`;
  const expected = "expected a timeout up to the interval: an upstream that hangs is probed less often than it says";
  assertWarnings(`${table}«timeout» = "11s"`, [
    `timeout (11s) is above interval_seconds (10s by default), ${expected}`,
  ]);
  assertWarnings(`${table}interval = "500ms"\n«timeout» = 1`, [`timeout (1s) is above interval (500ms), ${expected}`]);
  assertWarnings(`${table}interval_seconds = 3\n«timeout» = "1m"`, [
    `timeout (1m) is above interval_seconds (3s), ${expected}`,
  ]);
  assertWarnings(`${table}interval = "2s"\ntimeout = "2s"`, []);
  assertWarnings(`${table}interval = "500ms"`, []);
  assertErrors(`${table}interval = "1s"\ntimeout = «"long"»`, [`timeout is "long", expected ${DURATION}`]);
});

Deno.test("parseConfig() warns of a longest ejection that is shorter than the first", () => {
  const table = `${PROXY}[sites.proxy.passive_health]\n`;
  const end = "which then has no effect, expected max_eject_for to be the longer one";
  assertWarnings(`${table}«eject_for» = "10m"`, [`eject_for (10m) is above max_eject_for (5m by default), ${end}`]);
  assertWarnings(`${table}«max_eject_for» = "5s"`, [`eject_for (10s by default) is above max_eject_for (5s), ${end}`]);
  assertWarnings(`${table}eject_for = 30\n«max_eject_for» = 20`, [
    `eject_for (30s) is above max_eject_for (20s), ${end}`,
  ]);
  assertWarnings(`${table}eject_for = "5m"`, []);
});

Deno.test("parseConfig() warns of a share of slow responses where none is slow", () => {
  const table = `${PROXY}[sites.proxy.circuit_breaker]\n`;
  assertWarnings(`${table}«slow_ratio» = 0.3`, [
    'slow_ratio has no effect without slow_after, expected slow_after, such as slow_after = "2s"',
  ]);
  assertWarnings(`${table}slow_ratio = 0.3\nslow_after = "1s"`, []);
});
