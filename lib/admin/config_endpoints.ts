/**
 * The endpoints that put a config in place, or look at one.
 *
 * @module
 */

import { dirname } from "node:path";
import { z } from "zod";
import { parseConfig } from "../config/parse_config.ts";
import type { Problem } from "../config/problem.ts";
import { readEnvironment } from "../config/substitution.ts";
import { AdminRefusal, json } from "./admin_answer.ts";
import { problemSchema } from "./api_schemas.ts";
import type { Endpoint } from "./endpoint.ts";
import type { ManagedConfig } from "./managed.ts";
import { MASK } from "./running_config.ts";

/** The endpoints. */
export function configEndpoints(config: ManagedConfig): Endpoint[] {
  return [
    {
      ...{ method: "POST", path: "/api/config/reload", name: "reloadConfig" },
      summary: "Reads the config file again and puts it in place. Nothing changes when it is refused (422).",
      body: { type: "application/json", optional: true },
      answers: {
        200: {
          description:
            "It is in place; problems are warnings, and needsRestart are keys whose new values wait for a restart.",
          schema: z.object({
            generation: z.int(),
            problems: z.array(problemSchema),
            needsRestart: z.array(z.string()),
          }),
        },
      },
      handle: async () => {
        if (!config.reloadable) throw new AdminRefusal(409, "The config did not come from a file");
        const { accepted, problems, needsRestart } = await config.reload("management API");
        if (accepted) return json({ generation: config.generation, problems, needsRestart });
        throw new AdminRefusal(422, `The config was refused, the one before goes on: ${problems[0]?.message ?? ""}`, {
          members: { problems },
        });
      },
    },
    {
      ...{ method: "POST", path: "/api/config/validate", name: "validateConfig" },
      summary:
        "Checks the TOML text of a config, with the environment and the files of this machine; puts nothing in " +
        "place.",
      body: { type: "application/toml" },
      answers: {
        200: {
          description: "What is wrong with it.",
          schema: z.object({
            valid: z.boolean(),
            problems: z.array(problemSchema),
            warnings: z.array(problemSchema),
          }),
        },
      },
      handle: ({ text }) => {
        const { file } = config;
        const baseDir = file === null ? Deno.cwd() : dirname(file);
        const values = new Set<string>();
        const env = (name: string) => {
          const value = readEnvironment(name);
          if (value !== undefined) values.add(value);
          return value;
        };
        const { config: valid, problems, warnings } = parseConfig(text, { baseDir, env });
        const [shownProblems, shownWarnings] = [problems, warnings].map((found) => withoutValues(found, values));
        return json({ valid: valid !== undefined, problems: shownProblems, warnings: shownWarnings });
      },
    },
  ];
}

/** Shorter values are told: they are no secrets, and would be found everywhere. */
const SECRET_CHARS = 6;

// Whoever sends a config chooses which variables it names, and would be told what each of them holds.
function withoutValues(problems: readonly Problem[], values: ReadonlySet<string>): Problem[] {
  const long = [...values].filter((value) => value.length >= SECRET_CHARS).sort((a, b) => b.length - a.length);
  const tells = (text: string) =>
    long.some((value) =>
      [value, value.slice(0, 40)].some((part) =>
        text.toLowerCase().includes(part.toLowerCase()) || text.includes(JSON.stringify(part).slice(1, -1))
      )
    );
  return problems.map(({ suggestion, expected, ...problem }) => ({
    ...problem,
    message: tells(problem.message) ? `${problem.path} is ${MASK}` : problem.message,
    ...(expected === undefined ? {} : { expected: tells(expected) ? MASK : expected }),
    ...(suggestion === undefined || tells(suggestion) ? {} : { suggestion }),
  }));
}
