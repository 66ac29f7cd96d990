/**
 * The endpoints that reload the config, or check one.
 *
 * @module
 */

// @ts-types="../../types/std/path.d.ts"
import { dirname } from "@std/path/dirname";
import { z } from "zod";
import { parseConfigAside } from "../generation/config/parse_aside.ts";
import { AdminRefusal, json } from "./admin_response.ts";
import { problemSchema } from "./api_schemas.ts";
import type { Endpoint } from "./endpoint.ts";
import type { ManagedConfig } from "./managed.ts";

/** The endpoints. */
export function configEndpoints(config: ManagedConfig): Endpoint[] {
  let parsing: Promise<unknown> = Promise.resolve();
  return [
    {
      ...{ method: "POST", path: "/api/config/reload", name: "reloadConfig" },
      summary: "Reads the config file again and puts it in place. Nothing changes when it is refused (422).",
      body: { type: "application/json", optional: true },
      responses: {
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
      responses: {
        200: {
          description: "What is wrong with it.",
          schema: z.object({
            valid: z.boolean(),
            problems: z.array(problemSchema),
            warnings: z.array(problemSchema),
          }),
        },
      },
      handle: async ({ text }) => {
        const { file } = config;
        const baseDir = file === null ? Deno.cwd() : dirname(file);
        // One at a time: each may take the memory of a large config.
        const report = parsing.then(() => parseConfigAside(text, { baseDir }));
        parsing = report.catch(() => {});
        const { config: valid, problems, warnings } = await report;
        return json({ valid: valid !== undefined, problems, warnings });
      },
    },
  ];
}
