/**
 * `bws explain`: how a request would be handled, and why.
 *
 * @module
 */

import { loadConfig } from "../generation/config/load_config.ts";
import { formatProblems } from "../config/problem.ts";
import { explain } from "../generation/explain.ts";
import { Generation } from "../generation/generation.ts";
import { InvalidUrl } from "../generation/located_url.ts";
import { ProcessState } from "../generation/process_state.ts";
import { isIpAddress } from "../http/ip_address.ts";
import { isToken } from "../http/header_lines.ts";
import { type CommandInput, DEFAULT_CONFIG, flagValue, UsageError } from "./command.ts";
import { explanationText } from "./explanation_text.ts";

/**
 * Explains a request by a config file. Sends nothing, opens no port and looks up no name.
 *
 * @throws {UsageError} The arguments are not a request.
 * @throws {ConfigError} The file is refused.
 */
export async function explainCommand(input: CommandInput): Promise<number> {
  const { terminal, positionals } = input;
  if (positionals.length === 0) throw new UsageError("explain needs a URL, or a path");
  const [method, url] = positionals.length === 1 ? ["GET", positionals[0]] : positionals;
  if (!isToken(method)) throw new UsageError(`${JSON.stringify(method)} is no method, expected one such as GET`);
  const client = flagValue(input, "client") ?? "127.0.0.1";
  if (!isIpAddress(client)) throw new UsageError(`--client ${client} is no IP address`);
  const headers = readHeaders(input.flags.get("header") ?? []);
  const { config, warnings } = await loadConfig(flagValue(input, "config") ?? DEFAULT_CONFIG);
  if (warnings.length > 0 && !input.flags.has("json")) {
    terminal.printError(formatProblems(warnings, { color: terminal.errorColored }));
  }
  const processState = new ProcessState({ probes: false, addresses: NO_ADDRESSES });
  const generation = new Generation(config, { processState });
  try {
    const explanation = await explain(generation, { method, url, headers, client });
    terminal.print(
      input.flags.has("json")
        ? JSON.stringify(explanation, null, 2)
        : explanationText(explanation, terminal.outputColored),
    );
    return 0;
  } catch (error) {
    if (error instanceof InvalidUrl) throw new UsageError(error.message);
    throw error;
  } finally {
    generation.close();
    processState.close();
  }
}

/** Without look-ups: only a running server does these. */
const NO_ADDRESSES = { watch: () => ({ ready: Promise.resolve(), stop: () => {} }) };

function readHeaders(lines: readonly string[]): Headers {
  const headers = new Headers();
  for (const line of lines) {
    const [, name, value] = /^([^:]+):\s*(.*)$/s.exec(line) ?? [];
    if (name === undefined || !isToken(name)) {
      throw new UsageError(
        `--header ${JSON.stringify(line)} is no header field, expected one such as "Accept: text/html"`,
      );
    }
    try {
      headers.append(name, value);
    } catch {
      throw new UsageError(`--header ${JSON.stringify(line)} has a value that no header field can hold`);
    }
  }
  return headers;
}
