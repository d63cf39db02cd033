// The official JavaScript client creates more users than the limit allows at once, and prints how many it got.
import { CommunicationIdentityClient } from "@azure/communication-identity";

const client = new CommunicationIdentityClient(process.env.COMMUNICATION_SERVICES_CONNECTION_STRING);
let created = 0;
for (let n = 0; n < Number(process.env.COUNT); n++) {
  await client.createUser();
  created += 1;
}
console.log(created);
