/**
 * `forward_auth` next to `auth_request` of nginx and `forward_auth` of Caddy, with services that answer as oauth2-proxy and Authelia do.
 *
 * @module
 */

// @ts-types="../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { startServerProgram } from "../support/peer_programs.ts";
import { freePort } from "../support/port.ts";
import { RunningProxy } from "../support/running_proxy.ts";

const SERVICE = new URL("../support/auth_service_program.mjs", import.meta.url).pathname;
const [PROXY, AUTHELIA] = ["/oauth2/auth", "/api/authz/forward-auth"];
/** The fields that upstreams get of each service. */
const COPIED: Readonly<Record<string, string[]>> = {
  [PROXY]: ["X-Auth-Request-User", "X-Auth-Request-Email", "X-Auth-Request-Uri"],
  [AUTHELIA]: ["Remote-User", "Remote-Groups"],
};

const nginxConfig = (folder: string, port: number, service: number, app: number) => `
daemon off; master_process off; pid ${folder}/nginx.pid; error_log ${folder}/error.log;
events { worker_connections 64; }
http {
  access_log off; client_body_temp_path ${folder}; proxy_temp_path ${folder}; fastcgi_temp_path ${folder};
  uwsgi_temp_path ${folder}; scgi_temp_path ${folder};
  server {
    listen 127.0.0.1:${port};
    location = /auth {
      internal; proxy_pass http://127.0.0.1:${service}${PROXY}; proxy_pass_request_body off; proxy_set_header Content-Length "";
      proxy_set_header X-Forwarded-Uri $request_uri;
    }
    location / {
      auth_request /auth;
      auth_request_set $user $upstream_http_x_auth_request_user; proxy_set_header X-Auth-Request-User $user;
      auth_request_set $email $upstream_http_x_auth_request_email; proxy_set_header X-Auth-Request-Email $email;
      auth_request_set $uri2 $upstream_http_x_auth_request_uri; proxy_set_header X-Auth-Request-Uri $uri2;
      proxy_pass http://127.0.0.1:${app};
    }
  }
}`;

const caddyConfig = (port: number, service: number, app: number, path: string) => `
http://127.0.0.1:${port} {
  forward_auth 127.0.0.1:${service} {
    uri ${path}
    copy_headers ${COPIED[path].join(" ")}
  }
  reverse_proxy 127.0.0.1:${app}
}`;

/** What a client sees, and what reached the upstream. */
interface Seen {
  readonly status: number;
  readonly location: string | null;
  readonly cookies: string[];
  /** The body of a response that is not the upstream's, where it is the service's. */
  readonly body: string;
  readonly told: unknown;
}

Deno.test("forward_auth answers as nginx and Caddy do in front of oauth2-proxy's and Authelia's services", async (context) => {
  const service = new Deno.Command("node", { args: [SERVICE], stdout: "piped" });
  const programs = ["node", "nginx", "caddy"].map((name) => new Deno.Command("which", { args: [name] }).outputSync());
  if (programs.some(({ success }) => !success)) {
    return void await context.step({ name: "ignored", ignore: true, fn() {} });
  }
  const child = service.spawn();
  const output = child.stdout.getReader();
  const judge = Number(new TextDecoder().decode((await output.read()).value));
  const app = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    async ({ url, method, headers, body }) => {
      const names = [...COPIED[PROXY], ...COPIED[AUTHELIA]];
      const fields = Object.fromEntries(names.map((name) => [name, headers.get(name)]));
      return Response.json({ path: new URL(url).pathname, method, sent: await new Response(body).text(), ...fields });
    },
  );
  const folder = await Deno.makeTempDir();
  await Deno.chmod(folder, 0o777);
  const [nginxPort, ...caddyPorts] = [freePort(), freePort(), freePort()];
  const target = app.addr.port;
  await Deno.writeTextFile(`${folder}/nginx.conf`, nginxConfig(folder, nginxPort, judge, target));
  const caddies = [PROXY, AUTHELIA].map((path, index) => caddyConfig(caddyPorts[index], judge, target, path)).join(
    "\n",
  );
  await Deno.writeTextFile(`${folder}/Caddyfile`, `{\nadmin off\n}\n${caddies}`);
  try {
    await using stack = new AsyncDisposableStack();
    const use = async (command: string, args: string[], ...ports: number[]) => {
      const program = await startServerProgram(command, args, ...ports);
      if (program !== undefined) stack.use(program);
    };
    await Promise.all([
      use("nginx", ["-p", folder, "-c", `${folder}/nginx.conf`], nginxPort),
      use("caddy", ["run", "--config", `${folder}/Caddyfile`, "--adapter", "caddyfile"], ...caddyPorts),
    ]);
    const [bws, bwsRedirecting] = await Promise.all([PROXY, AUTHELIA].map((path) =>
      RunningProxy.start({
        upstreams: [`http://127.0.0.1:${target}`],
        site: { forward_auth: { url: `http://127.0.0.1:${judge}${path}`, copy_headers: COPIED[path] } },
      })
    ));
    stack.use(bws);
    stack.use(bwsRedirecting);
    const seen = async (port: number, init: RequestInit): Promise<Seen> => {
      const response = await fetch(`http://127.0.0.1:${port}/a%2fb/c?d=e&f`, { redirect: "manual", ...init });
      const text = await response.text();
      const passed = response.status === 200;
      return {
        status: response.status,
        location: response.headers.get("location")?.replace(/%3A\d+%2F/, "%2F") ?? null,
        cookies: response.headers.getSetCookie(),
        body: passed ? "" : text.replace(/%3A\d+%2F/, "%2F"),
        told: passed ? JSON.parse(text) : undefined,
      };
    };
    const forged = { "x-auth-request-user": "root", "remote-user": "root" };
    const requests: RequestInit[] = [
      {},
      { headers: { cookie: "session=stranger", ...forged } },
      { headers: { cookie: "x=y; session=ann" } },
      { headers: { cookie: "session=ann", ...forged }, method: "POST", body: "text" },
    ];
    for (const init of requests) {
      const [own, nginx, caddy] = await Promise.all(
        [bws.port, nginxPort, caddyPorts[0]].map((port) => seen(port, init)),
      );
      assertEquals(own, caddy, "as Caddy, oauth2-proxy");
      // nginx has pages of its own for what is refused, and passes on no fields of the client under these names.
      const same = ({ status, told }: Seen) => ({ status, told: told && { ...told, "Remote-User": null } });
      assertEquals(same(own), same(nginx), "as nginx");
      const [redirected, byCaddy] = await Promise.all(
        [bwsRedirecting.port, caddyPorts[1]].map((port) => seen(port, init)),
      );
      assertEquals(redirected, byCaddy, "as Caddy, Authelia");
      if (init.headers === undefined) assertEquals([redirected.status, redirected.cookies.length], [302, 2]);
    }
  } finally {
    child.kill();
    await child.status;
    await output.cancel();
    await app.shutdown();
    await Deno.remove(folder, { recursive: true });
  }
});
