// The official chat client in a page: a test orders what it does, and reads what it heard.

import { ChatClient } from "@azure/communication-chat";
import { AzureCommunicationTokenCredential, getIdentifierRawId } from "@azure/communication-common";

const EVENTS = [
  "chatMessageReceived", "chatMessageEdited", "chatMessageDeleted", "typingIndicatorReceived", "readReceiptReceived",
  "chatThreadCreated", "chatThreadPropertiesUpdated", "chatThreadDeleted", "participantsAdded", "participantsRemoved",
];
const STATES = ["realTimeNotificationConnected", "realTimeNotificationDisconnected"];

const heard = [];
const states = [];
let client;

const orders = {
  begin: async ({ endpoint, token }) => {
    client = new ChatClient(endpoint, new AzureCommunicationTokenCredential(token));
    for (const state of STATES) client.on(state, () => states.push(state.replace("realTimeNotification", "")));
    await client.startRealtimeNotifications();
    for (const event of EVENTS) client.on(event, (payload) => heard.push([event, payload]));
  },
  end: () => client.stopRealtimeNotifications(),
  createThread: async ({ topic, people, ...more }) => {
    const { chatThread } = await client.createChatThread({ topic }, { participants: people.map(entry), ...more });
    return chatThread.id;
  },
  deleteThread: ({ thread }) => client.deleteChatThread(thread),
  send: async ({ thread, content, ...more }) => (await at(thread).sendMessage({ content }, more)).id,
  edit: ({ thread, id, ...more }) => at(thread).updateMessage(id, more),
  erase: ({ thread, id }) => at(thread).deleteMessage(id),
  read: ({ thread, id }) => at(thread).sendReadReceipt({ chatMessageId: id }),
  type: ({ thread, ...more }) => at(thread).sendTypingNotification(more),
  topic: ({ thread, topic }) => at(thread).updateTopic(topic),
  add: ({ thread, people }) => at(thread).addParticipants({ participants: people.map(entry) }),
  remove: ({ thread, id }) => at(thread).removeParticipant({ communicationUserId: id }),
};

const at = (thread) => client.getChatThreadClient(thread);
const entry = ({ id, since, ...more }) => ({
  id: { communicationUserId: id }, ...more, ...(since && { shareHistoryTime: new Date(since) }),
});

// Users by their raw id, times as text: what a test can compare.
const plain = (value) => JSON.parse(JSON.stringify(value, (name, part) =>
  part?.kind === "communicationUser" ? getIdentifierRawId(part) : part));

globalThis.order = async (name, given = {}) => plain(await orders[name](given) ?? null);
globalThis.states = states;
globalThis.takeHeard = () => plain(heard.splice(0));
