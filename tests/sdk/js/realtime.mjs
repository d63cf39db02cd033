// The official signaling client, unmodified: it starts, says whatever it hears, a line each, and stops when it is told.
//
//   {"event": "connectionChanged", "payload": 2}
//   {"event": "chatMessageReceived", "payload": {...}}
//
// A line in is a new token, or `stop`. Needs a global WebSocket, which Node has by `--experimental-websocket` or by itself.

import { createInterface } from "node:readline";

// The client is made for browsers: it looks where its page is from, and asks for a session by what Node has not.
class XMLHttpRequest {
  readyState = 0;
  withCredentials = false;
  #headers = {};
  open(method, url) {
    Object.assign(this, { method, url });
  }
  setRequestHeader(name, value) {
    this.#headers[name] = value;
  }
  async send() {
    try {
      const answer = await fetch(this.url, { method: this.method, headers: this.#headers });
      this.status = answer.status;
      this.responseText = await answer.text();
      this.getResponseHeader = (name) => answer.headers.get(name);
    } catch (error) {
      this.status = 0;
      this.responseText = "";
    }
    this.readyState = 4;
    (this.onreadystatechange ?? this.onload)?.call(this);
  }
  abort() {}
}
globalThis.XMLHttpRequest = XMLHttpRequest;

const say = (event, payload) => console.log(JSON.stringify({ event, payload: payload ?? null }));

// What goes over the wire, where somebody wants to see it: where to, and each frame of either direction.
if (process.env.SIGNALING_FRAMES) {
  globalThis.WebSocket = class extends WebSocket {
    constructor(...told) {
      super(...told);
      say("frame", `@ ${told[0]}`);
      this.addEventListener("message", ({ data }) => say("frame", `< ${data}`));
    }
    send(data) {
      say("frame", `> ${data}`);
      super.send(data);
    }
  };
}
globalThis.window = globalThis;
globalThis.location = new URL(process.env.CHAT_ENDPOINT);
const { CommunicationSignalingClient } = await import("@azure/communication-signaling");

const EVENTS = [
  "connectionChanged", "chatMessageReceived", "chatMessageEdited", "chatMessageDeleted", "typingIndicatorReceived",
  "readReceiptReceived", "chatThreadCreated", "chatThreadPropertiesUpdated", "chatThreadDeleted", "participantsAdded",
  "participantsRemoved",
];

const quiet = () => {};
const log = process.env.SIGNALING_LOG ? (...told) => console.error(...told) : quiet;
const logger = { error: log, warning: log, warn: log, info: log, verbose: log };

let token = process.env.CHAT_TOKEN;
const expires = () => JSON.parse(Buffer.from(token.split(".")[1], "base64url")).exp * 1000;
const credential = {
  getToken: async () => {
    say("tokenAsked");
    return { token, expiresOnTimestamp: expires() };
  },
};
const client = new CommunicationSignalingClient(credential, logger, {
  resourceEndpoint: process.env.CHAT_ENDPOINT,
  gatewayApiVersion: "2025-03-15",
});
for (const event of EVENTS) client.on(event, (payload) => say(event, payload));
await client.start();
say("started");
for await (const line of createInterface({ input: process.stdin })) {
  if (line === "stop") {
    await client.stop();
    say("stopped");
  } else {
    token = line;
  }
}
process.exit(0);
