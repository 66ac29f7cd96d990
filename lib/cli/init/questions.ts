/**
 * The questions of `bws init`. One whose answer is known from a flag is not asked; an answer that will not do is asked for
 * again, with the reason.
 *
 * @module
 */

import { UsageError } from "../command.ts";
import type { FoundProject } from "./found_project.ts";
import {
  type InitAnswers,
  isPublic,
  readFolder,
  readHealth,
  readHostname,
  readPaths,
  readServed,
  readSitePort,
  readUpstreams,
  readYes,
  type Served,
  usualPort,
} from "./init_answers.ts";

/** Asks for a line. */
export interface Asker {
  /** Writes a line. */
  say(text: string): void;
  /** The line that is typed behind a prompt; undefined at the end of the input. */
  line(prompt: string): Promise<string | undefined>;
}

/** What is known before the first question; the answers of flags are read already. */
export type KnownAnswers = { readonly [K in keyof InitAnswers]?: InitAnswers[K] };

/** The input ended before the last question: nothing is written. */
export class InputEnded extends Error {
  override readonly name = "InputEnded";
}

interface Question<T> {
  readonly text: string;
  /** The answer of an empty line, as it would be typed. */
  readonly usual: string;
  /** Reads an answer. @throws {UsageError} It will not do. */
  readonly read: (text: string) => T;
}

/**
 * Asks what is not known.
 *
 * @param asker Where questions are asked; undefined to take the usual answers.
 * @throws {InputEnded} The input ended.
 * @throws {UsageError} Without an asker: a usual answer will not do beside those that are known.
 */
export async function askAll(
  known: KnownAnswers,
  found: FoundProject | undefined,
  asker: Asker | undefined,
): Promise<InitAnswers> {
  const ask = <T>(question: Question<T>): T | Promise<T> =>
    asker === undefined ? question.read(question.usual) : answerTo(question, asker);
  const served = servedBy(known) ?? await ask({
    text: "What is served: files, an app (whatever listens on a port), or both?",
    usual: usualServed(found),
    read: readServed,
  });
  const root = served === "app" ? undefined : known.root ?? await ask({
    text: "Which folder has the files?",
    usual: found?.root ?? ".",
    read: readFolder,
  });
  const upstreams = served === "files" ? [] : known.upstreams ?? await ask({
    text: "Where does the app listen? Several addresses share the load.",
    usual: found?.upstream ?? "http://127.0.0.1:3000",
    read: readUpstreams,
  });
  const paths = served !== "both" ? ["/"] : known.paths ?? await ask({
    text: 'Which paths are the app\'s? "/" is all that are no files.',
    usual: "/api/",
    read: readPaths,
  });
  const health = served === "files" ? undefined : "health" in known ? known.health : await ask({
    text: "Which path says whether the app is healthy? It is asked for every 10 seconds.",
    usual: "none",
    read: readHealth,
  });
  const hostname = "hostname" in known ? known.hostname : await ask({
    text: "Which host name does it have, such as example.com?",
    usual: "any",
    read: (text) => text === "any" ? undefined : readHostname(text),
  });
  const port = known.port ?? await ask({
    text: hostname !== undefined && isPublic(hostname)
      ? "Which port? 443 is HTTPS, with a certificate of Let's Encrypt."
      : "Which port?",
    usual: String(usualPort(hostname)),
    read: (text) => readSitePort(text, { hostname, upstreams }),
  });
  const dashboard = known.dashboard ?? await ask({
    text: "A dashboard, an API and metrics, on http://127.0.0.1:7654 for this machine alone?",
    usual: "no",
    read: readYes,
  });
  const singlePage = known.singlePage ?? (root !== undefined && root === found?.root && found.singlePage === true);
  return { root, singlePage, upstreams, paths, health, hostname, port, dashboard };
}

/** What flags say is served. */
function servedBy({ root, upstreams }: KnownAnswers): Served | undefined {
  if (root !== undefined) return upstreams === undefined ? "files" : "both";
  return upstreams === undefined ? undefined : "app";
}

function usualServed(found: FoundProject | undefined): Served {
  if (found?.root !== undefined) return found.upstream === undefined ? "files" : "both";
  return "app";
}

async function answerTo<T>({ text, usual, read }: Question<T>, asker: Asker): Promise<T> {
  asker.say(text);
  for (;;) {
    const line = await asker.line(`   [${usual}] `);
    if (line === undefined) throw new InputEnded("The input ended before the last question: nothing is written");
    try {
      return read(line.trim() === "" ? usual : line.trim());
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      asker.say(`   ${error.message}`);
    }
  }
}
