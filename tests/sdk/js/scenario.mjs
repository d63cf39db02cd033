// What a user of the official JavaScript client does; prints what it saw, a line of JSON for each step.
// The same steps as ../python/scenario.py.

import { AzureCommunicationTokenCredential } from "@azure/communication-common";
import { CommunicationIdentityClient } from "@azure/communication-identity";

const FOREIGN = {
  communicationUserId: "8:acs:00000000-0000-0000-0000-000000000000_00000000-0000-0000-0000-000000000000",
};
const SCOPES = process.env.SCOPES.split(",");
const MINUTES = process.env.MINUTES.split(",").filter(Boolean).map(Number);

const connect = (variable) =>
  new CommunicationIdentityClient(process.env[variable], { retryOptions: { maxRetries: 0 } });

async function record(step, operation) {
  const seen = { step };
  let result;
  try {
    result = await operation();
    seen.id = result?.communicationUserId ?? result?.user?.communicationUserId;
    seen.token = result?.token;
    seen.expires = result?.expiresOn?.toISOString();
  } catch (error) {
    const { name, statusCode, code, message } = error;
    if (statusCode === undefined) throw error;
    Object.assign(seen, { error: name, status: statusCode, code, message });
  }
  console.log(JSON.stringify(seen));
  return result;
}

async function issue(client, user) {
  for (const scopes of [...SCOPES.map((scope) => [scope]), SCOPES]) {
    await record(`create_user_and_token ${scopes}`, () => client.createUserAndToken(scopes));
    await record(`get_token ${scopes}`, () => client.getToken(user, scopes));
    for (const minutes of MINUTES) {
      const lifetime = { tokenExpiresInMinutes: minutes };
      await record(`create_user_and_token ${scopes} ${minutes}`, () => client.createUserAndToken(scopes, lifetime));
      await record(`get_token ${scopes} ${minutes}`, () => client.getToken(user, scopes, lifetime));
    }
  }
  await record("get_token no scopes", () => client.getToken(user, []));
}

async function readToken(text) {
  const credential = new AzureCommunicationTokenCredential(text);
  const { token, expiresOnTimestamp } = await credential.getToken();
  console.log(JSON.stringify({ step: "credential", token, expires: new Date(expiresOnTimestamp).toISOString() }));
  credential.dispose();
}

async function revokeAndDelete(client) {
  const { user } = await record("token before revocation", () => client.createUserAndToken(SCOPES));
  await record("revoke_tokens", () => client.revokeTokens(user));
  await record("token after revocation", () => client.getToken(user, SCOPES));
  const { user: deleted } = await record("token before deletion", () => client.createUserAndToken(SCOPES));
  await record("delete_user", () => client.deleteUser(deleted));
  for (const [name, whose] of [["deleted", deleted], ["foreign", FOREIGN]]) {
    await record(`get_token ${name}`, () => client.getToken(whose, SCOPES));
    await record(`revoke_tokens ${name}`, () => client.revokeTokens(whose));
    await record(`delete_user ${name}`, () => client.deleteUser(whose));
  }
}

const client = connect("COMMUNICATION_SERVICES_CONNECTION_STRING");
const user = await record("create_user", () => client.createUser());
await issue(client, user);
await readToken((await client.getToken(user, SCOPES)).token);
await revokeAndDelete(client);
await record("get_token_for_teams_user", () =>
  client.getTokenForTeamsUser({ teamsUserAadToken: "token", clientId: "application", userObjectId: "user" }),
);
await record("create_user secondary key", () => connect("SECONDARY_CONNECTION_STRING").createUser());
await record("create_user wrong key", () => connect("WRONG_KEY_CONNECTION_STRING").createUser());
