/**
 * Servers of other makers that answer alike, for tests of BWS in front of them:
 * `/bytes/N` N bytes, `/echo` the body that it was sent, `/sse` events one by one, `/chunked`, `/gzip`, `/file` with
 * ETag and ranges. What a server cannot do is not asked of it.
 *
 * @module
 */

import { until } from "./condition.ts";
import { freePort } from "./port.ts";

/** What a peer can do. */
export type PeerSkill = "bytes" | "echo" | "sse" | "chunked" | "gzip" | "conditional" | "range" | "files";

/** A server of another maker that runs. */
export interface PeerProgram {
  /** What it is called. */
  readonly name: string;
  /** Its port. */
  readonly port: number;
  /** What it can do. */
  readonly skills: ReadonlySet<PeerSkill>;
  /** Lets the next event of `/sse` go. */
  sendEvent(): Promise<void>;
  /** Stops it. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** The file that `/file` is, in the folder of each peer. */
export const FILE_TEXT: string = "0123456789".repeat(1000);

/** Starts Node's http server; undefined when there is no Node. */
export async function startNode(): Promise<PeerProgram | undefined> {
  const skills: PeerSkill[] = ["bytes", "echo", "sse", "chunked", "gzip", "conditional", "range"];
  return await startProgram("node", ["--input-type=module", "-e", NODE_SOURCE], { name: "Node http", skills });
}

/** Starts `Deno.serve` in a process of its own. */
export async function startDeno(): Promise<PeerProgram | undefined> {
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  await Deno.writeTextFile(file, DENO_SOURCE);
  const skills: PeerSkill[] = ["bytes", "echo", "sse", "chunked", "gzip", "conditional", "range"];
  const done = () => Deno.remove(file);
  return await startProgram(Deno.execPath(), ["run", "-A", "--no-check", file], { name: "Deno.serve", skills, done });
}

/** Starts Python's http.server over a folder; undefined when there is no Python. */
export async function startPython(): Promise<PeerProgram | undefined> {
  const folder = await fileFolder();
  const done = () => Deno.remove(folder, { recursive: true });
  return await startProgram("python3", ["-c", PYTHON_SOURCE], {
    name: "Python http.server",
    skills: ["files", "echo"],
    done,
    cwd: folder,
  });
}

/** Starts nginx over a folder; undefined when there is no nginx. */
export async function startNginx(): Promise<PeerProgram | undefined> {
  const folder = await fileFolder();
  const done = () => Deno.remove(folder, { recursive: true });
  const port = freePort();
  await Deno.writeTextFile(`${folder}/nginx.conf`, nginxConfig(folder, port));
  await Deno.mkdir(`${folder}/logs`);
  await Deno.chmod(folder, 0o755);
  return await startProgram("nginx", ["-p", folder, "-c", `${folder}/nginx.conf`], {
    name: "nginx",
    skills: ["files", "gzip", "conditional", "range", "chunked"],
    done,
    port,
  });
}

/** Starts a server that listens on `ports` of loopback; undefined when there is no such program. */
export async function startServerProgram(
  command: string,
  args: string[],
  ...ports: readonly number[]
): Promise<AsyncDisposable | undefined> {
  const program = await startProgram(command, args, { name: command, skills: [], port: ports[0] });
  // It may open them one after another.
  for (const port of program === undefined ? [] : ports.slice(1)) await listening(port);
  return program;
}

interface Program {
  name: string;
  skills: readonly PeerSkill[];
  done?: () => Promise<void>;
  cwd?: string;
  port?: number;
}

async function startProgram(command: string, args: string[], program: Program): Promise<PeerProgram | undefined> {
  let child: Deno.ChildProcess;
  try {
    child = new Deno.Command(command, { args, cwd: program.cwd, stdin: "piped", stdout: "piped", stderr: "null" })
      .spawn();
  } catch (error) {
    await program.done?.();
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  const input = child.stdin.getWriter();
  const output = child.stdout.getReader();
  const port = program.port ?? Number(new TextDecoder().decode((await output.read()).value));
  await listening(port);
  return {
    name: program.name,
    port,
    skills: new Set(program.skills),
    sendEvent: () => input.write(new TextEncoder().encode("\n")),
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await child.status;
      await input.close().catch(() => {});
      await output.cancel();
      await program.done?.();
    },
  };
}

async function listening(port: number): Promise<void> {
  let open = false;
  const knock = async () => {
    while (!open) {
      try {
        (await Deno.connect({ hostname: "127.0.0.1", port })).close();
        open = true;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    }
  };
  const knocking = knock();
  await until(`a server listens on port ${port}`, () => open, 15_000);
  await knocking;
}

/** `size` bytes that repeat after 251, a prime, so that pieces in a wrong place show. */
export function patternBytes(size: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size);
  for (let i = 0; i < Math.min(size, 251); i++) bytes[i] = i;
  for (let filled = 251; filled < size; filled *= 2) bytes.copyWithin(filled, 0, Math.min(filled, size - filled));
  return bytes;
}

async function fileFolder(): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "bws-peer-" });
  await Deno.writeTextFile(`${folder}/file`, FILE_TEXT);
  for (const size of [0, 1, 65_536, 1_000_000, 100_000_000]) {
    await Deno.mkdir(`${folder}/bytes`, { recursive: true });
    await Deno.writeFile(`${folder}/bytes/${size}`, patternBytes(size));
  }
  return folder;
}

function nginxConfig(folder: string, port: number): string {
  return `
daemon off; master_process off; worker_processes 1; pid ${folder}/nginx.pid; error_log ${folder}/logs/error.log;
events { worker_connections 256; }
http {
  access_log off; default_type text/plain; gzip on; gzip_min_length 1; gzip_proxied any; gzip_types text/plain;
  client_body_temp_path ${folder}/b; proxy_temp_path ${folder}/p; fastcgi_temp_path ${folder}/f;
  uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
  server { listen 127.0.0.1:${port}; root ${folder};
    location /bytes/ { gzip off; }
    location = /gzip { rewrite ^ /file break; }
    location = /chunked { rewrite ^ /file break; }
  }
}`;
}

const NODE_SOURCE = `
import { createServer } from "node:http";
import { gzipSync } from "node:zlib";
const FILE = ${JSON.stringify(FILE_TEXT)};
let wake = () => {};
process.stdin.on("data", () => wake());
createServer(async (request, response) => {
  const path = request.url;
  if (path.startsWith("/bytes/")) {
    const size = Number(path.slice(7));
    response.setHeader("content-length", size);
    if (request.method === "HEAD") return response.end();
    const block = Buffer.from(Array.from({ length: 251 * 256 }, (_, i) => i % 251));
    for (let at = 0; at < size; at += block.length) {
      if (!response.write(block.subarray(0, Math.min(block.length, size - at)))) {
        await new Promise((resolve) => response.once("drain", resolve));
      }
    }
    return response.end();
  }
  if (path === "/echo") return request.pipe(response);
  if (path === "/sse") {
    response.setHeader("content-type", "text/event-stream");
    response.flushHeaders();
    for (let i = 0; i < 5; i++) {
      await new Promise((resolve) => wake = resolve);
      response.write("data: " + i + "\\n\\n");
    }
    return response.end();
  }
  if (path === "/chunked") { response.write(FILE.slice(0, 5000)); return response.end(FILE.slice(5000)); }
  if (path === "/gzip") {
    response.setHeader("content-encoding", "gzip");
    return response.end(gzipSync(FILE));
  }
  response.setHeader("etag", '"v1"');
  if (request.headers["if-none-match"] === '"v1"') { response.statusCode = 304; return response.end(); }
  const range = /^bytes=(\\d+)-(\\d+)$/.exec(request.headers.range ?? "");
  if (range) {
    response.statusCode = 206;
    response.setHeader("content-range", "bytes " + range[1] + "-" + range[2] + "/" + FILE.length);
    return response.end(FILE.slice(Number(range[1]), Number(range[2]) + 1));
  }
  response.setHeader("content-length", FILE.length);
  response.end(FILE);
}).listen(0, "127.0.0.1", function () { console.log(this.address().port); });
`;

const DENO_SOURCE = `
const FILE = ${JSON.stringify(FILE_TEXT)};
let wake = () => {};
const listen = async () => { const b = new Uint8Array(8); while (await Deno.stdin.read(b) !== null) wake(); };
listen();
const block = Uint8Array.from({ length: 251 * 256 }, (_, i) => i % 251);
Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: (a) => console.log(a.port) }, async (request) => {
  const path = new URL(request.url).pathname;
  if (path.startsWith("/bytes/")) {
    const size = Number(path.slice(7));
    let at = 0;
    const body = new ReadableStream({ pull(c) {
      if (at >= size) return c.close();
      const take = Math.min(block.length, size - at);
      c.enqueue(block.slice(0, take));
      at += take;
    } });
    return new Response(request.method === "HEAD" ? null : body, { headers: { "content-length": String(size) } });
  }
  if (path === "/echo") return new Response(request.body);
  if (path === "/sse") {
    let i = 0;
    return new Response(new ReadableStream({ async pull(c) {
      if (i === 5) return c.close();
      await new Promise((resolve) => wake = resolve);
      c.enqueue(new TextEncoder().encode("data: " + i++ + "\\n\\n"));
    } }, { highWaterMark: 0 }), { headers: { "content-type": "text/event-stream" } });
  }
  if (path === "/chunked") return new Response(new Blob([FILE]).stream());
  if (path === "/gzip") {
    const zipped = await new Response(new Blob([FILE]).stream().pipeThrough(new CompressionStream("gzip"))).bytes();
    return new Response(zipped, { headers: { "content-encoding": "gzip" } });
  }
  const headers = new Headers({ etag: '"v1"' });
  if (request.headers.get("if-none-match") === '"v1"') return new Response(null, { status: 304, headers });
  const range = /^bytes=(\\d+)-(\\d+)$/.exec(request.headers.get("range") ?? "");
  if (range) {
    headers.set("content-range", "bytes " + range[1] + "-" + range[2] + "/" + FILE.length);
    return new Response(FILE.slice(Number(range[1]), Number(range[2]) + 1), { status: 206, headers });
  }
  return new Response(FILE, { headers });
});
`;

const PYTHON_SOURCE = `
import http.server, sys
class Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *a): pass
    def do_POST(self):
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            parts = []
            while True:
                size = int(self.rfile.readline().split(b";")[0], 16)
                parts.append(self.rfile.read(size)); self.rfile.readline()
                if size == 0: break
            body = b"".join(parts)
        else:
            body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200); self.send_header("Content-Length", str(len(body))); self.end_headers()
        self.wfile.write(body)
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
`;
