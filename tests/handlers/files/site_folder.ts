/**
 * A temporary folder with files for a file server, a secret next to it that no answer may ever hold, and short ways to
 * ask and to look at answers.
 *
 * @module
 */

import type { HeaderLines, HttpResponse, RequestHead } from "../../../lib/http/message.ts";
import { headerValue } from "../../../lib/http/header_lines.ts";
import { table } from "../../../lib/config/fields.ts";
import { until } from "../../support/condition.ts";
import { bytesOf } from "../../support/response_bytes.ts";
import {
  createFileServer,
  type FileServer,
  type FileServerOptions,
  type FolderConfig,
} from "../../../lib/handlers/files/file_server.ts";
import { fileKeys } from "../../../lib/handlers/files/files_schema.ts";

/** What the file outside the root holds. */
export const SECRET = "SECRET-9f2c-outside-the-root";

/** A folder `root` with files, in a folder that also holds `secret.txt`. */
export class SiteFolder implements AsyncDisposable {
  readonly outside: string;
  readonly root: string;

  private constructor(outside: string) {
    this.outside = outside;
    this.root = `${outside}/root`;
  }

  static async make(files: Record<string, string | Uint8Array> = {}): Promise<SiteFolder> {
    const folder = new SiteFolder(await Deno.realPath(await Deno.makeTempDir()));
    await Deno.mkdir(folder.root);
    await Deno.writeTextFile(`${folder.outside}/secret.txt`, SECRET);
    for (const [path, content] of Object.entries(files)) await folder.write(path, content);
    return folder;
  }

  async write(path: string, content: string | Uint8Array, modified?: Date): Promise<void> {
    const full = `${this.root}/${path}`;
    await Deno.mkdir(full.slice(0, full.lastIndexOf("/")), { recursive: true });
    await (typeof content === "string" ? Deno.writeTextFile(full, content) : Deno.writeFile(full, content));
    // An hour old unless said otherwise: then it has settled, and dates are strong.
    const time = modified ?? new Date(Date.UTC(2024, 0, 2, 3, 4, 5, 678));
    await Deno.utime(full, time, time);
  }

  /** Keys that are not given have their defaults. */
  serve(given: Partial<FolderConfig> & FileServerOptions = {}): FileServer {
    return serving(this.root, given);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.outside, { recursive: true });
  }
}

/** A file server of any folder; keys that are not given have their defaults. */
export function serving(root: string, given: Partial<FolderConfig> & FileServerOptions = {}): FileServer {
  return createFileServer(root, { ...FILE_DEFAULTS, ...given }, given);
}

const FILE_DEFAULTS = table(fileKeys).parse({});

export interface AskOptions {
  method?: string;
  headers?: HeaderLines;
}

/** A request head for a target. */
export function headOf(target: string, { method = "GET", headers = [] }: AskOptions = {}): RequestHead {
  const mark = target.indexOf("?");
  return {
    method,
    path: mark === -1 ? target : target.slice(0, mark),
    query: mark === -1 ? "" : target.slice(mark),
    authority: "example.com",
    host: "example.com",
    scheme: "http",
    headers,
    peer: { address: "127.0.0.1", port: 1 },
  };
}

/** An answer whose body was read. */
export interface ReadAnswer {
  status: number;
  body: Uint8Array<ArrayBuffer>;
  text: string;
  answer: HttpResponse;
  header(lowerName: string): string | undefined;
}

/** Asks a file server and reads the whole answer. */
export async function ask(files: FileServer, target: string, options: AskOptions = {}): Promise<ReadAnswer> {
  const answer = await files.serve(headOf(target, options));
  const body = await bytesOf(answer.body);
  return {
    status: answer.status,
    body,
    text: new TextDecoder().decode(body),
    answer,
    header: (lowerName) => headerValue(answer.headers, lowerName),
  };
}

/** How many files below a folder this process holds open; 0 where the system does not tell. */
export function openFiles({ outside }: SiteFolder): number {
  if (Deno.build.os !== "linux") return 0;
  let count = 0;
  for (const { name } of Deno.readDirSync("/proc/self/fd")) {
    try {
      if (Deno.readLinkSync(`/proc/self/fd/${name}`).startsWith(outside)) count++;
    } catch {
      // The handle of this very look is gone already.
    }
  }
  return count;
}

/** Waits until no file below a folder is open: a handle with a read under way closes only after that. */
export async function allClosed(site: SiteFolder): Promise<void> {
  await until("all files are closed", () => openFiles(site) === 0);
}

/** Bytes that differ from place to place, so that a wrong offset shows. */
export function patternBytes(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >> 8) * 17 + (i >> 16)) & 255;
  return bytes;
}
