// The official JavaScript clients with a managed identity, and with the token of a user that is exchanged.

import { AzureCommunicationTokenCredential } from "@azure/communication-common";
import { CommunicationIdentityClient } from "@azure/communication-identity";
import * as identity from "@azure/identity";
// The one that Microsoft's quickstart use-managed-Identity pins (^1.5.1): it knows App Service of 2017 only.
import * as older from "identity-of-the-quickstart";

const endpoint = process.env.COMMUNICATION_SERVICES_ENDPOINT;
const show = (seen) => console.log(JSON.stringify(seen));

for (const [age, library] of [["", identity], ["older ", older]]) {
  for (const name of ["ManagedIdentityCredential", "EnvironmentCredential", "DefaultAzureCredential"]) {
    const credential = new library[name]();
    const { expiresOnTimestamp } = await credential.getToken("https://communication.azure.com//.default");
    const client = new CommunicationIdentityClient(endpoint, credential);
    const { user, token } = await client.createUserAndToken(["chat", "voip"]);
    const again = await client.getToken(user, ["chat"]);
    await client.revokeTokens(user);
    await client.deleteUser(user);
    const expires = new Date(expiresOnTimestamp).toISOString();
    show({ step: `${age}${name}`, id: user.communicationUserId, token: token && again.token, expires });
  }
}

for (const [name, scopes, resourceEndpoint] of [
  ["entra", undefined, endpoint],
  ["doubled slash", undefined, `${endpoint}/`],
  ["teams", ["https://auth.msft.communication.azure.com/TeamsExtension.ManageCalls"], endpoint],
]) {
  const text = process.env[name === "teams" ? "TEAMS_TOKEN" : "USER_TOKEN"];
  const tokenCredential = { getToken: async () => ({ token: text, expiresOnTimestamp: Date.now() + 3_600_000 }) };
  const credential = new AzureCommunicationTokenCredential({ resourceEndpoint, tokenCredential, scopes });
  const { token, expiresOnTimestamp } = await credential.getToken();
  show({ step: name, token, expires: new Date(expiresOnTimestamp).toISOString() });
  credential.dispose();
}

const tokenCredential = { getToken: async () => ({ token: process.env.EXPIRED_TOKEN, expiresOnTimestamp: 0 }) };
try {
  await new AzureCommunicationTokenCredential({ resourceEndpoint: endpoint, tokenCredential }).getToken();
} catch (error) {
  show({ step: "expired", message: error.message });
}

const { COMMUNICATION_SERVICES_CONNECTION_STRING, TEAMS_TOKEN, APP, USER_ID } = process.env;
const client = new CommunicationIdentityClient(COMMUNICATION_SERVICES_CONNECTION_STRING);
const options = { teamsUserAadToken: TEAMS_TOKEN, clientId: APP, userObjectId: USER_ID };
show({ step: "exchange", token: (await client.getTokenForTeamsUser(options)).token });
