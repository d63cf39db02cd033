// The official JavaScript chat client lists the threads of a user: {"threads":0}, or its error as it saw it.
import { ChatClient } from "@azure/communication-chat";
import { AzureCommunicationTokenCredential } from "@azure/communication-common";

const credential = new AzureCommunicationTokenCredential(process.env.TOKEN);
const client = new ChatClient(process.env.CHAT_ENDPOINT, credential);
try {
  let threads = 0;
  for await (const _ of client.listChatThreads()) threads += 1;
  console.log(JSON.stringify({ threads }));
} catch (error) {
  console.log(JSON.stringify({ error: error.name, status: error.statusCode, code: error.code }));
}
credential.dispose();
