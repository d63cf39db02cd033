// A resource server: lists chat threads to whoever has a valid access token with a scope that allows it.
// Takes from the environment: WATCHWORD_ENDPOINT, WATCHWORD_VERIFIER (wwv_...), TLS_CERT, TLS_KEY, PORT.
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import { tokenVerifier } from "./verifier.mjs";

const env = process.env;
const verify = tokenVerifier(env.WATCHWORD_ENDPOINT, env.WATCHWORD_VERIFIER);
const ALLOWED = ["chat", "chat.join", "chat.join.limited"]; // Any of them allows Chat_ListChatThreads.

async function answer(request) {
  try {
    const claims = await verify((request.headers.authorization ?? "").replace(/^Bearer /, ""));
    if (claims.acsScope.split(",").some((scope) => ALLOWED.includes(scope))) return [200, { value: [] }];
    return [403, { error: { code: "Forbidden", message: `The token has none of the scopes ${ALLOWED}.` } }];
  } catch (error) {
    return [401, { error: { code: "Unauthorized", message: error.message } }];
  }
}

const tls = { cert: readFileSync(env.TLS_CERT), key: readFileSync(env.TLS_KEY) };
const server = createServer(tls, async (request, response) => {
  const [status, content] = await answer(request);
  response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(content));
});
const announce = () => console.log(`listening on https://localhost:${server.address().port}`);
server.listen(Number(env.PORT), "127.0.0.1", announce);
