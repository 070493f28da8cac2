// The websocket under SIP. Unlike JsSIP's own it knows when it last heard something: a network that goes away
// without a word closes nothing, and the phone would look registered while calls ring nowhere.

/** As JsSIP's transport wants it (documentation: "Socket interface"). */
export class WatchedSocket {
  readonly url: string;
  readonly sip_uri: string;
  via_transport: string;
  heardAt = 0;
  onconnect: () => void = () => undefined;
  ondisconnect: (error: boolean, code?: number, reason?: string) => void = () => undefined;
  ondata: (data: unknown) => void = () => undefined;
  private ws: WebSocket | null = null;

  constructor(
    url: string,
    private readonly open: (url: string) => WebSocket = (where) => new WebSocket(where, "sip"),
    private readonly now: () => number = Date.now,
  ) {
    const { protocol, host } = new URL(url);
    if (protocol !== "ws:" && protocol !== "wss:") throw new TypeError(`not a websocket address: ${url}`);
    this.url = url;
    this.sip_uri = `sip:${host};transport=ws`; // RFC 7118 5.2: ws in a URI, whether secure or not
    this.via_transport = protocol === "wss:" ? "WSS" : "WS";
  }

  isConnected(): boolean {
    return this.ws?.readyState === 1;
  }

  isConnecting(): boolean {
    return this.ws?.readyState === 0;
  }

  connect(): void {
    if (this.isConnected() || this.isConnecting()) return;
    let fresh: WebSocket;
    try {
      fresh = this.open(this.url);
    } catch {
      // The browser forbids the address (ws: from an https page); said as a failed connection.
      queueMicrotask(() => this.ondisconnect(true, 1006, "forbidden"));
      return;
    }
    fresh.binaryType = "arraybuffer";
    fresh.onopen = () => {
      this.heardAt = this.now();
      this.onconnect();
    };
    fresh.onmessage = ({ data }) => {
      this.heardAt = this.now();
      this.ondata(data);
    };
    fresh.onclose = ({ wasClean, code, reason }) => {
      this.ws = null;
      this.ondisconnect(!wasClean, code, reason);
    };
    this.ws = fresh;
  }

  disconnect(): void {
    const ws = this.ws;
    this.ws = null;
    if (!ws) return;
    ws.onopen = ws.onmessage = ws.onclose = null;
    ws.close();
  }

  /** Nothing comes any more: give it up without waiting for TCP to notice, which takes minutes. */
  drop(): void {
    if (!this.ws) return;
    this.disconnect();
    this.ondisconnect(true, 1006, "silent");
  }

  send(message: string): boolean {
    if (!this.isConnected()) return false;
    this.ws?.send(message);
    return true;
  }
}
