// What a page is told when something answers in the server's place; each line is an answer as proxies give it.
import { afterEach, expect, test, vi } from "vitest";
import { translate } from "../i18n";
import { problemText } from "../lib/problem";
import { api, ProblemError, useTransport } from "./api";

const html = "<html><body>nginx</body></html>";
const refusal = (problem: object) => JSON.stringify({ type: "urn:cti-server:problem:x", title: "Forbidden", status: 403, detail: "said", ...problem });

async function signInAnswered(answer: Response): Promise<ProblemError> {
  useTransport(async () => answer);
  return api.signIn("alice", "secret").then(() => { throw new Error("signed in"); }, (error: ProblemError) => error);
}

afterEach(() => {
  useTransport((path, init) => fetch(path, init));
  vi.unstubAllGlobals();
});

test.each<[string, number, string, string]>([
  ["a proxy whose server is down", 502, html, "server_down"],
  ["Apache's word for the same", 503, html, "server_down"],
  ["a server that hangs behind its proxy", 504, html, "server_slow"],
  ["a firewall", 403, html, "proxy_refuses"],
  ["a proxy's own password", 401, html, "proxy_login"],
  ["a proxy's limit", 429, html, "proxy_limits"],
  ["a proxy that knows no /api", 404, html, "not_passed_on"],
  ["a file server that takes no POST", 405, html, "not_passed_on"],
  ["an API gateway that speaks JSON", 403, '{"message":"forbidden"}', "proxy_refuses"],
  ["a captive portal", 200, html, "not_the_server"],
  ["a proxy that sends elsewhere", 302, "", "redirected"],
  ["http sent to an https port", 400, html, "proxy_answer"],
])("%s: %d", async (_what, status, body, code) => {
  const error = await signInAnswered(new Response(body, { status }));
  // Never a status that means something of the server's: 401 would sign out, 404 would empty a card.
  expect([error.code, error.status, error.problem.answered]).toEqual([code, 0, status]);
  const said = problemText(error.problem, translate);
  expect(said.title.length && said.detail.length).toBeGreaterThan(0);
  expect(`${said.title}${said.detail}`).not.toMatch(/–|undefined|{{/);
});

test("the server's own refusals keep their code, status and wait", async () => {
  vi.stubGlobal("location", { origin: "https://cti.example.com" });
  const foreign = await signInAnswered(new Response(refusal({ code: "foreign_origin", detail: "this address is not one the server knows (Origin https://cti.example.com)" }), { status: 403 }));
  expect(problemText(foreign.problem, translate)).toEqual({
    title: "This address is not one the server knows (Origin https://cti.example.com).",
    detail: "Administrator: let the proxy pass the Host header, or set CTI_HTTP_ORIGINS=https://cti.example.com",
  });
  const often = await signInAnswered(new Response(refusal({ status: 429, code: "too_many_attempts", detail: "too many failed attempts to sign in" }), { status: 429, headers: { "retry-after": "8" } }));
  expect([often.status, problemText(often.problem, translate).detail]).toEqual([429, "Try again in 8 s."]);
});

test("nothing answers: whose end it is, is said where the browser knows", async () => {
  useTransport(() => Promise.reject(new TypeError("Failed to fetch")));
  await expect(api.signIn("a", "b")).rejects.toMatchObject({ code: "unreachable" });
  vi.stubGlobal("navigator", { onLine: false });
  await expect(api.signIn("a", "b")).rejects.toMatchObject({ code: "offline" });
});

test.each<[number, string, string]>([
  [426, refusal({ status: 426, code: "no_websocket" }), "no_websocket"],
  [404, html, "websocket_refused"],
  [200, html, "websocket_refused"],
  [502, html, "server_down"],
])("a websocket that does not open, a plain request answered %d", async (status, body, code) => {
  useTransport(async () => new Response(body, { status }));
  expect((await api.whyNoSocket()).code).toBe(code);
});
