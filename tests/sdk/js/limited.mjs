// What a user of the official JavaScript client does where requests are limited: nothing about it.
// Creates two identities one after the other and prints their ids, each on a line.

import { CommunicationIdentityClient } from "@azure/communication-identity";

const client = new CommunicationIdentityClient(process.env.COMMUNICATION_SERVICES_CONNECTION_STRING);
for (let count = 0; count < 2; count += 1) {
  console.log((await client.createUser()).communicationUserId);
}
