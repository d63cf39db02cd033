// Verifies Watchword's access tokens with a stock JOSE library: the key set tells who signed, the feed what was revoked
// since. Nothing is asked when a token comes; when the feed was silent for too long, every token is refused.
import { createRemoteJWKSet, jwtVerify } from "jose";

const [MAX_STALENESS, KEPT] = [10_000, 25 * 3_600_000]; // Milliseconds. No token lives longer than it is remembered.
const [RENEWED, SKEW] = [24 * 3_600_000, 5 * 60_000]; // Asked anew once a day; a clock may be five minutes ahead.
const OPTIONS = { algorithms: ["ES256", "RS256", "EdDSA"], requiredClaims: ["exp", "iat", "jti"] };

export function tokenVerifier(endpoint, credential) {
  const keys = createRemoteJWKSet(new URL("/.well-known/jwks.json", endpoint), { cooldownDuration: 5_000 });
  let [revoked, resource, freshAt, begunAt] = [new Map(), "", -Infinity, 0];

  async function follow(cursor) {
    const sent = performance.now(); // What is committed from here on may be missing in the answer.
    try {
      const [headers, signal] = [{ authorization: `Bearer ${credential}` }, AbortSignal.timeout(8_000)];
      if (sent - begunAt > RENEWED) cursor = undefined;
      const query = cursor ? `?since=${cursor}&wait=3` : "";
      const reply = await fetch(`${endpoint}/revocations${query}`, { headers, signal, redirect: "error" });
      if (!reply.ok) throw new Error(`The feed answered ${reply.status}.`);
      const page = await reply.json();
      if (page.snapshot) [revoked, resource, freshAt, begunAt] = [new Map(), page.resource, -Infinity, sent];
      for (const entry of page.revocations) remember(`${entry.kind} ${entry.id}`, entry);
      if (!page.more) freshAt = sent;
      setImmediate(follow, page.cursor);
    } catch (error) {
      console.error(error.message);
      setTimeout(follow, 500, cursor);
    }
  }

  function remember(key, { generation = 0, validFrom = 0, deleted = false }) {
    const known = revoked.get(key) ?? { generation: 0, validFrom: 0, deleted: false };
    const strictest = { deleted: deleted || known.deleted };
    strictest.generation = Math.max(generation, known.generation);
    strictest.validFrom = Math.max(validFrom, known.validFrom);
    revoked.set(key, strictest);
    setTimeout(() => revoked.get(key) === strictest && revoked.delete(key), KEPT).unref();
  }

  function isRevoked(claims, kid) {
    const named = [`token ${claims.jti}`, `accessKey ${claims.accessKey}`, `signingKey ${kid}`];
    if (named.some((key) => revoked.has(key))) return true;
    const identity = revoked.get(`identity ${claims.skypeid}`), whole = revoked.get(`resource ${claims.resourceId}`);
    return identity?.deleted || claims.gen < identity?.generation || claims.iatMicros < identity?.validFrom
      || whole?.deleted || claims.resourceGen < whole?.generation || claims.iatMicros < whole?.validFrom;
  }

  follow();
  return async function verify(token) {
    const { payload, protectedHeader } = await jwtVerify(token, keys, OPTIONS);
    if (performance.now() - freshAt > MAX_STALENESS) throw new Error("Which tokens are revoked is not known.");
    if (payload.iat * 1_000 > Date.now() + SKEW) throw new Error("The token was issued in the future.");
    if (payload.resourceId !== resource) throw new Error("The token is of another resource.");
    if (isRevoked(payload, protectedHeader.kid)) throw new Error("The token was revoked.");
    return payload;
  };
}
