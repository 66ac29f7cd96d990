/**
 * Recipes in front of the programs that they are for. What is not on a machine is passed over.
 *
 * @module
 */

// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { io } from "npm:socket.io-client@4.8.4";
import { until, within } from "../support/condition.ts";
import { LineProgram } from "../support/line_program.ts";
import { freePort } from "../support/port.ts";
import { inTemporaryFolder } from "../support/temporary_folder.ts";
import { runRecipe } from "./running_recipe.ts";

const START_MS = 60_000;

async function lineOf(program: LineProgram): Promise<number> {
  return Number(await within(START_MS, "the program says its port", program.line()));
}

/** Starts a program that listens on `port`; undefined where it is not on this machine. */
async function listening(port: number, command: string, args: string[]): Promise<LineProgram | undefined> {
  const program = LineProgram.start(command, args);
  if (program === undefined) return undefined;
  let open = false;
  const ended = program.line().then(() => {}, (error: Error) => open || Promise.reject(error));
  const opened = until(`${command} listens`, async () => {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return open = true;
    } catch {
      return false;
    }
  });
  try {
    await Promise.race([opened, ended.then(() => opened)]);
  } catch (error) {
    await program.kill();
    throw error;
  }
  return program;
}

Deno.test("Socket.IO polls through its recipe, each client with one of two servers", async () => {
  await using one = LineProgram.startOwn("socket_io_program.ts", ["one"]);
  await using two = LineProgram.startOwn("socket_io_program.ts", ["two"]);
  const ports = { 3001: await lineOf(one), 3002: await lineOf(two) };
  await using recipe = await runRecipe("socket_io", { ports });
  const names: string[] = [];
  for (let client = 0; client < 4; client++) {
    const socket = io(recipe.url, {
      ...{ forceNew: true, reconnection: false, withCredentials: true, transports: ["polling"] },
    });
    try {
      await within(
        START_MS,
        "a client connects",
        new Promise((resolve) => socket.once("connect", () => resolve(null))),
      );
      for (let i = 0; i < 3; i++) {
        const echoed = new Promise<string>((resolve) =>
          socket.emit("echo", i, (_: number, name: string) => resolve(name))
        );
        names.push(`${client} ${await within(START_MS, "an echo", echoed)}`);
      }
    } finally {
      socket.disconnect();
    }
  }
  assertEquals(new Set(names).size, 4);
  assertEquals(new Set(names.map((name) => name.slice(2))), new Set(["one", "two"]));
});

Deno.test("gRPC by grpc-js passes through its recipe: calls, streams and failures", async () => {
  await using server = LineProgram.startOwn("grpc_program.ts", ["server"]);
  const port = await lineOf(server);
  await using recipe = await runRecipe("grpc", { ports: { 50051: port, 50052: port } });
  await using client = LineProgram.startOwn("grpc_program.ts", ["client", String(recipe.port)]);
  const outcomes = [];
  for (const call of ["unary 5", "both 3", "fail"]) {
    await client.tell(call);
    const { code, replies } = JSON.parse(await within(START_MS, "a call ends", client.line()));
    outcomes.push([code, replies]);
  }
  assertEquals(outcomes, [[0, [5, 65]], [0, [3, 3, 3, 3, 3]], [9, []]]);
});

Deno.test("Vite serves its page, and accepts the socket of its client, through its recipe", async () => {
  await inTemporaryFolder({ "index.html": "<!doctype html><title>It works</title>" }, async (folder) => {
    await using vite = LineProgram.startOwn("vite_program.ts", [folder]);
    await using recipe = await runRecipe("vite", { ports: { 5173: await lineOf(vite) } });
    assertMatch(await (await fetch(recipe.url)).text(), /@vite\/client.*It works/s);
    const client = await (await fetch(`${recipe.url}/@vite/client`)).text();
    const [, token] = /wsToken = "([^"]+)"/.exec(client) ?? [];
    const socket = new WebSocket(`ws://127.0.0.1:${recipe.port}/?token=${token}`, "vite-hmr");
    const message = new Promise((resolve) =>
      socket.addEventListener("message", ({ data }) => resolve(JSON.parse(data)))
    );
    assertEquals(await within(START_MS, "Vite says hello", message), { type: "connected" });
    const closed = new Promise((resolve) => socket.addEventListener("close", resolve));
    socket.close();
    await within(START_MS, "the socket closes", closed);
  });
});

const PHP = `<?php header('Set-Cookie: a=1'); header('Set-Cookie: b=2', false);
echo $_SERVER['REQUEST_METHOD'], ' ', $_SERVER['REQUEST_URI'], ' ', $_SERVER['HTTP_HOST'], ' ',
  $_SERVER['HTTP_X_FORWARDED_PROTO'], ' ', strlen(file_get_contents('php://input'));`;

Deno.test("PHP's own server works behind its recipe", async () => {
  await inTemporaryFolder({ "index.php": PHP }, async (folder) => {
    const port = freePort();
    await using php = await listening(port, "php", ["-q", "-S", `127.0.0.1:${port}`, "-t", folder]);
    if (php === undefined) return say("skipped: php is not on this machine");
    await using recipe = await runRecipe("php", { ports: { 8000: port } });
    const headers = { host: "blog.example.com" };
    const response = await fetch(`${recipe.url}/2026/a?x=1`, { method: "POST", body: "y".repeat(100_000), headers });
    assertEquals(await response.text(), `POST /2026/a?x=1 127.0.0.1:${recipe.port} http 100000`);
    assertEquals(response.headers.getSetCookie(), ["a=1", "b=2"]);
  });
});

const DJANGO = `
import django.conf, django.core.wsgi, django.http, django.urls
def page(request):
    return django.http.HttpResponse(f"{request.build_absolute_uri()} {request.is_secure()} {request.META['HTTP_X_FORWARDED_FOR']}")
urlpatterns = [django.urls.re_path(".*", page)]
django.conf.settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["127.0.0.1"], SECRET_KEY="x",
    SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https"))
app = django.core.wsgi.get_wsgi_application()
`;

const FASTAPI = `
import fastapi
app = fastapi.FastAPI()
@app.get("/users")
def users(request: fastapi.Request):
    return [request.headers["x-forwarded-for"], request.url.scheme]
@app.get("/health")
def health():
    return "ok"
`;

/** Whether the system's Python has a module. */
async function hasPython(module: string): Promise<boolean> {
  try {
    return (await new Deno.Command("/usr/bin/python3", { args: ["-c", `import ${module}`], stderr: "null" }).output())
      .success;
  } catch {
    return false;
  }
}

Deno.test("Django under gunicorn knows its address behind its recipe", async () => {
  if (!await hasPython("django, gunicorn")) return say("skipped: Django or gunicorn is not on this machine");
  const files = { "application.py": DJANGO, "public/static/a.css": "style" };
  await inTemporaryFolder(files, async (folder) => {
    const port = freePort();
    const flags = ["--chdir", folder, "--bind", `127.0.0.1:${port}`, "--log-level", "error"];
    await using gunicorn = await listening(port, "/usr/bin/gunicorn", [...flags, "application:app"]);
    if (gunicorn === undefined) return say("skipped: gunicorn is not on this machine");
    await using recipe = await runRecipe("django", { ports: { 8000: port }, folder });
    const headers = { "x-forwarded-proto": "https", "x-forwarded-for": "1.2.3.4" };
    assertEquals(
      await (await fetch(`${recipe.url}/a?b`, { headers })).text(),
      `http://127.0.0.1:${recipe.port}/a?b False 127.0.0.1`,
    );
    assertEquals(await (await fetch(`${recipe.url}/static/a.css`)).text(), "style");
  });
});

Deno.test("FastAPI under uvicorn has its documentation behind the prefix of its recipe", async () => {
  if (!await hasPython("fastapi, uvicorn")) return say("skipped: FastAPI or uvicorn is not on this machine");
  await inTemporaryFolder({ "app.py": FASTAPI }, async (folder) => {
    const port = freePort();
    const flags = ["--app-dir", folder, "--port", String(port), "--log-level", "error", "--root-path", "/api"];
    const proxied = ["--proxy-headers", "--forwarded-allow-ips", "127.0.0.1"];
    await using uvicorn = await listening(port, "/usr/bin/python3", ["-m", "uvicorn", ...flags, ...proxied, "app:app"]);
    if (uvicorn === undefined) return say("skipped: python3 is not on this machine");
    await using recipe = await runRecipe("fastapi", { ports: { 8000: port, 8001: port } });
    assertStringIncludes(await (await fetch(`${recipe.url}/api/docs`)).text(), "'/api/openapi.json'");
    assertEquals((await (await fetch(`${recipe.url}/api/openapi.json`)).json()).servers, [{ url: "/api" }]);
    assertEquals(await (await fetch(`${recipe.url}/api/users`)).json(), ["127.0.0.1", "http"]);
  });
});

Deno.test("A registry takes a layer in pieces through its recipe, and gives it back", async () => {
  await inTemporaryFolder({}, async (folder) => {
    const port = freePort();
    const config = `version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\n` +
      `storage: {filesystem: {rootdirectory: ${folder}}}\nhttp: {addr: "127.0.0.1:${port}"}\n`;
    await Deno.writeTextFile(`${folder}/config.yml`, config);
    await using registry = await listening(port, "docker-registry", ["serve", `${folder}/config.yml`]);
    if (registry === undefined) return say("skipped: docker-registry is not on this machine");
    await using recipe = await runRecipe("container_registry", { ports: { 5000: port } });
    const headers = { authorization: `Basic ${btoa("ci:registry")}` };
    const begun = await fetch(`${recipe.url}/v2/a/b/blobs/uploads/`, { method: "POST", headers });
    assertEquals([begun.status, await begun.text()], [202, ""]);
    const layer = new Uint8Array(8_000_000).map((_, i) => i * i % 251);
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", layer)).toHex();
    // The address comes from the registry, and leads through the proxy.
    let place = begun.headers.get("location") ?? "";
    assertEquals(new URL(place).host, `127.0.0.1:${recipe.port}`);
    const pieces = new ReadableStream({
      start(controller) {
        for (let i = 0; i < layer.length; i += 100_000) controller.enqueue(layer.slice(i, i + 100_000));
        controller.close();
      },
    });
    const sent = await fetch(place, { method: "PATCH", headers, body: pieces });
    assertEquals([sent.status, await sent.text()], [202, ""]);
    place = sent.headers.get("location") ?? "";
    const done = await fetch(`${place}&digest=sha256:${hash}`, { method: "PUT", headers });
    assertEquals([done.status, await done.text()], [201, ""]);
    const got = await (await fetch(`${recipe.url}/v2/a/b/blobs/sha256:${hash}`, { headers })).bytes();
    assertEquals(new Uint8Array(await crypto.subtle.digest("SHA-256", got)).toHex(), hash);
  });
});

function say(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}
