// A real identity provider for the tests: oidc-provider with its own pages, people whose claims a test may change, keys that
// can be rotated, a clock that can go wrong. What a test tells it comes to /test/… on the same port, as JSON.
import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import Provider from "oidc-provider";

const { port, clients } = JSON.parse(process.argv[2]);
const issuer = `http://localhost:${port}`;
const people = {};
let skewMs = 0;
let delayMs = 0;
const told = [];
const now = Date.now;
Date.now = () => now() + skewMs;
console.warn = () => {};

function jwks() {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return { keys: [{ ...privateKey.export({ format: "jwk" }), alg: "RS256", use: "sig", kid: `k${now()}${Math.random()}` }] };
}

// One with other keys knows nobody who was signed in at the one before.
function made() {
  const provider = new Provider(issuer, {
    clients,
    jwks: jwks(),
    cookies: { keys: ["of a test"] },
    findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id, ...people[id] }) }),
    claims: { openid: ["sub"], profile: ["name", "preferred_username"], email: ["email", "email_verified"], groups: ["groups"] },
    features: { backchannelLogout: { enabled: true }, devInteractions: { enabled: true } },
    ttl: { Session: 3600, Grant: 3600, Interaction: 3600, AccessToken: 600, IdToken: 600, AuthorizationCode: 60 },
    fetch: (url, options) => fetch(url, { ...options, dispatcher: undefined }),
  });
  for (const name of ["server_error", "authorization.error", "grant.error", "backchannel.error", "end_session.error"]) {
    provider.on(name, (ctx, error) => told.push(`${name}: ${error?.message ?? ""} ${error?.error_description ?? ""} ${error?.error_detail ?? ""} ${error?.cause ?? ""}`));
  }
  provider.on("backchannel.success", (ctx, client, accountId) => told.push(`backchannel.success: ${accountId}`));
  return provider.callback();
}

let handle = made();

const orders = {
  people: (given) => Object.assign(people, given),
  rotate: () => { handle = made(); },
  skew: ({ seconds }) => { skewMs = seconds * 1000; },
  delay: ({ seconds }) => { delayMs = seconds * 1000; },
  told: () => told,
};

const server = createServer(async (request, response) => {
  const order = /^\/test\/(\w+)$/.exec(request.url ?? "")?.[1];
  if (order) {
    let body = "";
    for await (const chunk of request) body += chunk;
    const answer = await orders[order](JSON.parse(body || "null"));
    response.setHeader("content-type", "application/json");
    return response.end(JSON.stringify(answer ?? null));
  }
  if (delayMs) await new Promise((done) => setTimeout(done, delayMs));
  return handle(request, response);
});
server.listen(port, "127.0.0.1", () => console.log("listening"));
