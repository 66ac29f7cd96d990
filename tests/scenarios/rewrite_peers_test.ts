/**
 * Rewrites of BWS next to those of nginx and Caddy: the upstream gets the same targets.
 *
 * @module
 */

// @ts-types="../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { text } from "../support/message_reader.ts";
import { startServerProgram } from "../support/peer_programs.ts";
import { freePort } from "../support/port.ts";
import { exchange, get } from "../support/raw_client.ts";
import { RunningProxy } from "../support/running_proxy.ts";
import { answerOf, ScriptedUpstream } from "../support/scripted_upstream.ts";
import { inTemporaryFolder } from "../support/temporary_folder.ts";

const REWRITE = [
  { from: "/old/*", to: "/new/{*}" },
  { from: "/users/:id", to: "/u?id={id}" },
  { from: "/add/:id", to: "/a?id={id}&{query}" },
  { from: "/drop", to: "/d?" },
  { from: "~/p(?<page>[0-9]+)[.]html", to: "/page/{page}" },
];

function nginxConfig(folder: string, port: number, upstream: string): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((kind) =>
    `${kind}_temp_path ${folder}/t;`
  );
  return `daemon off; master_process off; pid ${folder}/nginx.pid; error_log /dev/null;
events { worker_connections 64; }
http { access_log off; ${temporary.join(" ")}
server { listen 127.0.0.1:${port};
location / {
  rewrite ^/old/(.*)$ /new/$1 break;
  rewrite ^/users/([^/]+)$ /u?id=$1? break;
  rewrite ^/add/([^/]+)$ /a?id=$1 break;
  rewrite ^/drop$ /d? break;
  rewrite ^/p([0-9]+)[.]html$ /page/$1 break;
  proxy_pass ${upstream};
} } }`;
}

function caddyfile(port: number, upstream: string): string {
  return `{\nadmin off\nauto_https off\n}\nhttp://127.0.0.1:${port}, http://site.test:${port} {
@old path_regexp old ^/old/(.*)$
@users path_regexp users ^/users/([^/]+)$
@add path_regexp add ^/add/([^/]+)$
@page path_regexp page ^/p([0-9]+)[.]html$
rewrite @old /new/{re.old.1}
rewrite @users /u?id={re.users.1}
rewrite @add /a?id={re.add.1}&{query}
rewrite /drop /d?
rewrite @page /page/{re.page.1}
reverse_proxy ${upstream}
}\n`;
}

const SENT = [
  ...["/old/a/b", "/old/a?x=1&y", "/old/", "/old", "/users/7?x=1", "/users/7", "/users/7/8", "/add/7?x=1&y=%26"],
  ...["/drop?x=1", "/drop", "/p12.html?x", "/px.html", "/other?x=1", "/users/a%26b", "/users/a&b+c", "/old/a%20b"],
];

/** What the upstream gets behind a server. */
async function targets(port: number): Promise<string[]> {
  const got: string[] = [];
  for (const target of SENT) got.push(text((await exchange(port, get(target))).body));
  return got;
}

Deno.test("rewrite gives upstreams what nginx and Caddy give them", async () => {
  await inTemporaryFolder({}, async (folder) => {
    await using upstream = ScriptedUpstream.answering(({ firstLine }) => answerOf(firstLine.split(" ")[1]));
    await using proxy = await RunningProxy.start({ upstreams: [upstream.url], site: { rewrite: REWRITE } });
    const own = await targets(proxy.port);
    assertEquals(own, [
      ...["/new/a/b", "/new/a?x=1&y", "/new/", "/old", "/u?id=7", "/u?id=7", "/users/7/8", "/a?id=7&x=1&y=%26"],
      ...["/d", "/d", "/page/12?x", "/px.html", "/other?x=1", "/u?id=a%26b", "/u?id=a%26b%2Bc", "/new/a%20b"],
    ]);
    await Deno.chmod(folder, 0o755);
    const [nginxPort, caddyPort] = [freePort(), freePort()];
    await Deno.writeTextFile(`${folder}/nginx.conf`, nginxConfig(folder, nginxPort, upstream.url));
    await Deno.writeTextFile(`${folder}/Caddyfile`, caddyfile(caddyPort, upstream.url));
    {
      await using nginx = await startServerProgram("nginx", ["-p", folder, "-c", `${folder}/nginx.conf`], nginxPort);
      if (nginx !== undefined) assertEquals(await targets(nginxPort), own, "nginx");
    }
    const args = ["run", "--config", `${folder}/Caddyfile`, "--adapter", "caddyfile"];
    await using caddy = await startServerProgram("caddy", args, caddyPort);
    if (caddy !== undefined) assertEquals(await targets(caddyPort), own, "Caddy");
  });
});
