// The official JavaScript chat client, driven a line at a time: an order in, what the client made of the answer out.
// The same orders as ../python/chat.py, and more: it knows metadata of threads, and retention.

import { createInterface } from "node:readline";
import { ChatClient } from "@azure/communication-chat";
import { AzureCommunicationTokenCredential, getIdentifierRawId } from "@azure/communication-common";

const ENDPOINT = process.env.CHAT_ENDPOINT;

const time = (found) => found?.toISOString();
const moment = (text) => (text === undefined ? undefined : new Date(text));
const user = (found) => (found ? getIdentifierRawId(found) : null);

const entry = ({ id, name, since, metadata }) => ({
  id: { communicationUserId: id },
  displayName: name,
  shareHistoryTime: moment(since),
  metadata,
});
const retention = (days) =>
  days ? { kind: "threadCreationDate", deleteThreadAfterDays: days } : days === null ? null : { kind: "none" };

const invalid = (found) => (found ?? []).map(({ target, code, message }) => [target, code, message]);
const thread = (found) => ({
  id: found.id,
  topic: found.topic,
  createdOn: time(found.createdOn),
  createdBy: user(found.createdBy),
  metadata: found.metadata,
  retention: found.retentionPolicy,
});
const item = (found) => ({
  id: found.id,
  topic: found.topic,
  deletedOn: time(found.deletedOn) ?? null,
  lastMessageReceivedOn: time(found.lastMessageReceivedOn) ?? null,
});
const participant = (found) => ({
  id: user(found.id),
  name: found.displayName ?? null,
  since: time(found.shareHistoryTime),
  metadata: found.metadata,
});
const message = (found) => ({
  id: found.id,
  type: found.type,
  sequence: found.sequenceId,
  version: found.version,
  content: found.content?.message ?? null,
  attachments: found.content?.attachments,
  topic: found.content?.topic ?? null,
  participants: (found.content?.participants ?? []).map(participant),
  initiator: user(found.content?.initiator),
  name: found.senderDisplayName ?? null,
  sender: user(found.sender),
  createdOn: time(found.createdOn),
  editedOn: time(found.editedOn) ?? null,
  deletedOn: time(found.deletedOn) ?? null,
  metadata: found.metadata ?? {},
});
const receipt = (found) => ({ sender: user(found.sender), message: found.chatMessageId, readOn: time(found.readOn) });

async function pages(found, show, size) {
  const all = [];
  for await (const page of found.byPage({ maxPageSize: size })) all.push(page.map(show));
  return all;
}

const OPERATIONS = {
  async createThread({ client, topic, participants = [], repeatability, metadata, days }) {
    const options = { participants: participants.map(entry), idempotencyToken: repeatability, metadata };
    if (days !== undefined) options.retentionPolicy = retention(days);
    const made = await client.createChatThread({ topic }, options);
    return { thread: thread(made.chatThread), invalid: invalid(made.invalidParticipants) };
  },
  listThreads: ({ client, size, start }) =>
    pages(client.listChatThreads({ maxPageSize: size, startTime: moment(start) }), item, size),
  deleteThread: ({ client, thread }) => client.deleteChatThread(thread),
  getThread: async ({ talk }) => thread(await talk.getProperties()),
  updateThread({ talk, topic, metadata, days }) {
    if (metadata === undefined && days === undefined) return talk.updateTopic(topic);
    const retentionPolicy = days === undefined ? undefined : retention(days);
    return talk.updateProperties({ topic, metadata, retentionPolicy });
  },
  listParticipants: ({ talk, size, skip }) =>
    pages(talk.listParticipants({ maxPageSize: size, skip }), participant, size),
  addParticipants: async ({ talk, participants }) =>
    invalid((await talk.addParticipants({ participants: participants.map(entry) })).invalidParticipants),
  removeParticipant: ({ talk, id }) => talk.removeParticipant({ communicationUserId: id }),
  sendMessage: async ({ talk, content, type, name, metadata }) =>
    (await talk.sendMessage({ content }, { type, senderDisplayName: name, metadata })).id,
  getMessage: async ({ talk, message: id }) => message(await talk.getMessage(id)),
  updateMessage: ({ talk, message, content, metadata }) => talk.updateMessage(message, { content, metadata }),
  deleteMessage: ({ talk, message }) => talk.deleteMessage(message),
  listMessages: ({ talk, size, start }) =>
    pages(talk.listMessages({ maxPageSize: size, startTime: moment(start) }), message, size),
  sendReceipt: ({ talk, message }) => talk.sendReadReceipt({ chatMessageId: message }),
  listReceipts: ({ talk, size, skip }) => pages(talk.listReadReceipts({ maxPageSize: size, skip }), receipt, size),
  sendTyping: ({ talk, name }) => talk.sendTypingNotification({ senderDisplayName: name }),
};

for await (const line of createInterface({ input: process.stdin })) {
  const { token, operation, arguments: asked } = JSON.parse(line);
  const credential = new AzureCommunicationTokenCredential(token);
  const client = new ChatClient(ENDPOINT, credential, { retryOptions: { maxRetries: 0 } });
  const talk = asked.thread === undefined ? undefined : client.getChatThreadClient(asked.thread);
  let told;
  try {
    told = { value: (await OPERATIONS[operation]({ client, talk, ...asked })) ?? null };
  } catch (error) {
    if (error.statusCode === undefined) throw error;
    const { name, statusCode, code, message } = error;
    told = { error: name, status: statusCode, code, message };
  }
  credential.dispose();
  console.log(JSON.stringify(told));
}
