// What answers in the server's place: a proxy, a firewall, a network's own sign-in page. Each has words of its own, because
// each is mended by somebody else. None of it is the server's word: the status is 0, as where nothing answered.
import type { Problem } from "./types";

const codes: Record<number, string> = {
  401: "proxy_login", 403: "proxy_refuses", 404: "not_passed_on", 405: "not_passed_on", 407: "proxy_login", 429: "proxy_limits",
  501: "not_passed_on", 502: "server_down", 503: "server_down", 504: "server_slow",
};

/** For an answer that is not the server's own: it is no JSON, or no problem. */
export function foreignAnswer(response: Response): Problem {
  // The server redirects nothing below /api. The browser hides where it was to go.
  if (response.type === "opaqueredirect" || (response.status >= 300 && response.status < 400)) return problem("redirected", response.status);
  return problem(response.ok ? "not_the_server" : (codes[response.status] ?? "proxy_answer"), response.status);
}

/** For no answer at all. */
export function noAnswer(): Problem {
  return problem(globalThis.navigator?.onLine === false ? "offline" : "unreachable");
}

/** Why a websocket ended before it opened, by what a plain request to its address is answered. */
export function whyNoSocket(answer: Problem): Problem {
  if (answer.code === "no_websocket") return problem("no_websocket");
  return answer.answered !== undefined && answer.code !== "server_down" && answer.code !== "server_slow" ? problem("websocket_refused", answer.answered) : answer;
}

const problem = (code: string, answered?: number): Problem => ({ title: code, status: 0, code, ...(answered === undefined ? {} : { answered }) });
