// The UI library's composite in a page: a test says who is here and where, and looks at what they see.

import { ChatClient } from "@azure/communication-chat";
import { AzureCommunicationTokenCredential } from "@azure/communication-common";
import { ChatComposite, createAzureCommunicationChatAdapter } from "@azure/communication-react";
import { createElement } from "react";
import { createRoot } from "react-dom/client";

globalThis.told = [];
globalThis.asked = 0;
globalThis.heardElsewhere = [];

// `fresh` is the token that the app gives when it is asked for another.
globalThis.begin = async ({ endpoint, thread, user, name, token }) => {
  globalThis.fresh = token;
  const tokenRefresher = async () => {
    globalThis.asked += 1;
    return globalThis.fresh;
  };
  const credential = new AzureCommunicationTokenCredential({ token, tokenRefresher });
  // A client beside the composite's own, as an application has one that shows other threads as well.
  const client = new ChatClient(endpoint, credential);
  await client.startRealtimeNotifications();
  client.on("chatMessageReceived", ({ threadId, message }) => threadId === thread || heardElsewhere.push(message));
  const adapter = await createAzureCommunicationChatAdapter({
    endpoint,
    threadId: thread,
    userId: { communicationUserId: user },
    displayName: name,
    credential,
  });
  adapter.on("error", (error) => told.push(["error", error.target]));
  adapter.on("participantsRemoved", ({ participantsRemoved: people, removedBy }) =>
    told.push(["removed", people.map(({ id }) => id.communicationUserId), removedBy.id.communicationUserId]));
  createRoot(document.getElementById("root")).render(
    createElement(ChatComposite, { adapter, options: { topic: true } }));
};
