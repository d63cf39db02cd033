// The official JavaScript chat client reads all of a thread, the newest message first: a line for each of its pages.
import { ChatThreadClient } from "@azure/communication-chat";
import { AzureCommunicationTokenCredential, getIdentifierRawId } from "@azure/communication-common";

const { CHAT_ENDPOINT, TOKEN, THREAD } = process.env;
const credential = new AzureCommunicationTokenCredential(TOKEN);
const client = new ChatThreadClient(CHAT_ENDPOINT, THREAD, credential);
const shown = ({ id, version, sequenceId, content, sender, createdOn }) => [
  id, version, sequenceId, content.message, getIdentifierRawId(sender), createdOn.toISOString(),
];
for await (const page of client.listMessages({ maxPageSize: 200 }).byPage({ maxPageSize: 200 })) {
  console.log(JSON.stringify(page.map(shown)));
}
credential.dispose();
