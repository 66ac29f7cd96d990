// Services that judge requests, for Node: `/oauth2/auth` answers as oauth2-proxy does, `/api/authz/forward-auth` as Authelia.
import { createServer } from "node:http";
import process from "node:process";

const LOGIN = "https://login.example.com/?rd=";

const server = createServer(({ url, headers }, response) => {
  const path = url.split("?")[0];
  const session = /(?:^|; )session=(\w+)/.exec(headers.cookie ?? "")?.[1];
  if (path === "/oauth2/auth") {
    if (session === undefined) return response.writeHead(401, { "content-type": "text/plain" }).end("Unauthorized\n");
    if (session === "stranger") return response.writeHead(403).end();
    response.writeHead(202, {
      "x-auth-request-user": session,
      "x-auth-request-email": `${session}@example.com`,
      "x-auth-request-uri": headers["x-forwarded-uri"] ?? "",
    });
    return response.end();
  }
  if (path === "/api/authz/forward-auth") {
    const wanted = `${headers["x-forwarded-proto"]}://${headers["x-forwarded-host"]}${headers["x-forwarded-uri"]}`;
    if (session === undefined) {
      const location = `${LOGIN}${encodeURIComponent(wanted)}&rm=${headers["x-forwarded-method"]}`;
      const body = `<a href="${location}">Found</a>`;
      response.writeHead(302, {
        location,
        "content-type": "text/html",
        "set-cookie": ["a=1; Path=/", "b=2; HttpOnly"],
      });
      return response.end(body);
    }
    response.writeHead(200, { "remote-user": session, "remote-groups": "admins,staff" });
    return response.end();
  }
  response.writeHead(404).end();
});
server.listen(0, "127.0.0.1", () => process.stdout.write(`${server.address().port}\n`));
