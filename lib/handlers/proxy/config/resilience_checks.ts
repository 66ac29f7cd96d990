/**
 * Checks that involve several keys of health checks, passive health and breakers: keys without an effect, or with
 * another one than expected. Like the checks of sites, they use the tree as written.
 *
 * @module
 */

import { defaultOf, durationMs } from "../../../config/fields.ts";
import { type ProblemDetails, type ProblemList, quoted } from "../../../config/problem_list.ts";
import { DEFAULT_INTERVAL, healthCheckKeys } from "../../../upstream/config/health_check_schema.ts";
import { passiveHealthSchema } from "../../../upstream/config/resilience_schema.ts";
import { booleanOf, child, type TableNode, tableOf, textNode } from "../../../config/source_tree.ts";

const REQUEST_KEYS = ["path", "method", "headers", "expect_status", "expect_body"];
/** Those of a request of HTTP that is not a call of gRPC. */
const HTTP_KEYS = ["path", "method", "expect_status", "expect_body"];

/** Checks the tables of one proxy. Disabled ones are not checked: they may be incomplete. */
export function checkResilience(proxy: TableNode, problems: ProblemList): void {
  checkProbes(enabledTable(proxy, "health_check"), problems);
  checkEjections(enabledTable(proxy, "passive_health"), problems);
  const breaker = enabledTable(proxy, "circuit_breaker");
  if (breaker !== undefined && child(breaker, "slow_after") === undefined) {
    warnOfKey(breaker, "slow_ratio", problems, {
      message: "slow_ratio has no effect without slow_after",
      expected: 'slow_after, such as slow_after = "2s"',
    });
  }
}

function checkProbes(check: TableNode | undefined, problems: ProblemList): void {
  if (check === undefined) return;
  if (textNode(check, "kind")?.value === "tcp") {
    for (const key of REQUEST_KEYS) {
      const message = `${key} has no effect with kind = "tcp", which only opens a connection`;
      warnOfKey(check, key, problems, { message, expected: 'kind = "http"' });
    }
  }
  if (textNode(check, "kind")?.value === "grpc") {
    for (const key of HTTP_KEYS) {
      const message = `${key} has no effect with kind = "grpc", which makes a call of its own`;
      warnOfKey(check, key, problems, { message, expected: 'kind = "http"' });
    }
  } else {
    warnOfKey(check, "service", problems, {
      message: 'service has no effect without kind = "grpc"',
      expected: 'kind = "grpc"',
    });
  }
  const interval = child(check, "interval") === undefined ? "interval_seconds" : "interval";
  const intervalTime = timeOf(check, interval, DEFAULT_INTERVAL);
  const timeout = timeOf(check, "timeout", defaultOf(healthCheckKeys.timeout));
  if (!(timeout.ms > intervalTime.ms)) return;
  warnOfKey(check, "timeout", problems, {
    message: `timeout (${timeout.shown}) is above ${interval} (${intervalTime.shown})`,
    expected: "a timeout up to the interval: an upstream that hangs is probed less often than it says",
  });
}

function checkEjections(passive: TableNode | undefined, problems: ProblemList): void {
  if (passive === undefined) return;
  const first = timeOf(passive, "eject_for", defaultOf(passiveHealthSchema.shape.eject_for));
  const longest = timeOf(passive, "max_eject_for", defaultOf(passiveHealthSchema.shape.max_eject_for));
  if (!(first.ms > longest.ms)) return;
  warnOfKey(passive, child(passive, "max_eject_for") === undefined ? "eject_for" : "max_eject_for", problems, {
    message: `eject_for (${first.shown}) is above max_eject_for (${longest.shown}), which then has no effect`,
    expected: "max_eject_for to be the longer one",
  });
}

function enabledTable(proxy: TableNode, key: string): TableNode | undefined {
  const table = tableOf(proxy, key);
  return booleanOf(table, "enabled", true) ? table : undefined;
}

/** A duration as written, or its default. An invalid one is reported elsewhere and is not compared. */
function timeOf(table: TableNode, key: string, fallback: unknown): { ms: number; shown: string } {
  const node = child(table, key);
  const value = node === undefined ? fallback : node.kind === "scalar" ? node.value : undefined;
  const shown = node?.kind === "scalar" && node.substituted !== undefined
    ? quoted(node)
    : typeof value === "number"
    ? `${value}s`
    : String(value);
  return { ms: durationMs(value) ?? NaN, shown: node === undefined ? `${shown} by default` : shown };
}

function warnOfKey(table: TableNode, key: string, problems: ProblemList, details: ProblemDetails): void {
  const entry = table.entries.get(key);
  if (entry !== undefined) problems.warning({ path: entry.node.path, span: entry.keySpan }, details);
}
