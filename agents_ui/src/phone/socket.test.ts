// The websocket under SIP: when it connects, what it tells, and that silence is a reason to give it up.
import { expect, test } from "vitest";
import { WatchedSocket } from "./socket";

class FakeWs {
  readyState = 0;
  sent: string[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { wasClean: boolean; code: number; reason: string }) => void) | null = null;
  binaryType = "";
  send(text: string) { this.sent.push(text); }
  close() { this.readyState = 3; }
  opens() { this.readyState = 1; this.onopen?.(); }
}

function socket(url = "wss://pbx.example:8089/ws") {
  const opened: FakeWs[] = [];
  const told: string[] = [];
  const made = new WatchedSocket(url, () => { const ws = new FakeWs(); opened.push(ws); return ws as unknown as WebSocket; }, () => 7);
  made.onconnect = () => told.push("connected");
  made.ondisconnect = (error, code, reason) => told.push(`closed ${error} ${code} ${reason}`);
  made.ondata = (data) => told.push(`data ${String(data)}`);
  return { made, opened, told };
}

test.each([
  ["ws://127.0.0.1:8088/ws", "WS", "sip:127.0.0.1:8088;transport=ws"],
  ["wss://pbx.example/ws", "WSS", "sip:pbx.example;transport=ws"],
  ["wss://[::1]:8089/ws", "WSS", "sip:[::1]:8089;transport=ws"],
])("%s", (url, via, uri) => {
  const { made } = socket(url);
  expect([made.via_transport, made.sip_uri]).toEqual([via, uri]);
});

test("no other addresses", () => expect(() => socket("https://pbx.example/ws")).toThrow(TypeError));

test("connects once, hears, sends, closes", () => {
  const { made, opened, told } = socket();
  made.connect();
  made.connect();
  expect(opened).toHaveLength(1);
  expect(made.send("early")).toBe(false);
  opened[0]?.opens();
  expect(made.send("REGISTER")).toBe(true);
  opened[0]?.onmessage?.({ data: "200" });
  expect(made.heardAt).toBe(7);
  opened[0]?.onclose?.({ wasClean: false, code: 1006, reason: "" });
  expect(told).toEqual(["connected", "data 200", "closed true 1006 "]);
  expect(made.isConnected()).toBe(false);
  made.connect();
  expect(opened).toHaveLength(2);
});

test("a silent one is given up, and what it says then is not heard", () => {
  const { made, opened, told } = socket();
  made.connect();
  opened[0]?.opens();
  made.drop();
  expect(opened[0]?.readyState).toBe(3);
  opened[0]?.onclose?.({ wasClean: true, code: 1000, reason: "" });
  made.drop();
  expect(told).toEqual(["connected", "closed true 1006 silent"]);
});

test("an address that the browser forbids is a failed connection", async () => {
  const told: string[] = [];
  const made = new WatchedSocket("ws://pbx.example/ws", () => { throw new DOMException("mixed content", "SecurityError"); });
  made.ondisconnect = (_error, code, reason) => told.push(`${code} ${reason}`);
  made.connect();
  await Promise.resolve();
  expect(told).toEqual(["1006 forbidden"]);
});
