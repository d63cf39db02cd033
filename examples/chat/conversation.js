// What a user knows of a thread: loaded when the realtime connection stands, and kept as its events say from then on.

import { ChatClient } from "@azure/communication-chat";
import { AzureCommunicationTokenCredential, getIdentifierRawId } from "@azure/communication-common";

const TYPING_MILLISECONDS = 8000;
const STATES = { realTimeNotificationConnected: true, realTimeNotificationDisconnected: false };

export class Conversation {
  messages = new Map();
  // Of each reader the newest message that they have read.
  receipts = new Map();
  names = new Map();
  typing = new Map();
  isConnected = false;
  isOver = "";

  // `refresh` asks the app for a token; `changed` is called whenever there is something new to be shown.
  constructor({ endpoint, thread, identity, name, token }, { refresh, changed }) {
    Object.assign(this, { id: thread, identity, name, changed });
    this.credential = new AzureCommunicationTokenCredential({ token, tokenRefresher: refresh, refreshProactively: true });
    this.client = new ChatClient(endpoint, this.credential);
    this.thread = this.client.getChatThreadClient(thread);
  }

  async start() {
    for (const [state, isConnected] of Object.entries(STATES)) {
      this.client.on(state, () => {
        this.isConnected = isConnected;
        // What happens from here on is told by events; what happened before is asked for, at each connection.
        if (isConnected) this.load();
        this.changed();
      });
    }
    await this.client.startRealtimeNotifications();
    this.#on("chatMessageReceived", (event) => {
      this.typing.delete(getIdentifierRawId(event.sender));
      this.#put(fromEvent(event));
    });
    this.#on("chatMessageEdited", (event) => this.#put({ ...fromEvent(event), isEdited: true }));
    this.#on("chatMessageDeleted", (event) => this.#put({ ...fromEvent(event), isDeleted: true }));
    this.#on("readReceiptReceived", ({ sender, chatMessageId }) => this.#read(sender, chatMessageId));
    this.#on("typingIndicatorReceived", ({ sender }) => this.#typed(getIdentifierRawId(sender)));
    // The messages by which a thread tells of itself are not events: these say when there is a new one.
    this.#on("chatThreadPropertiesUpdated", () => this.load());
    this.#on("participantsAdded", () => this.load());
    this.#on("participantsRemoved", ({ participantsRemoved: people }) => {
      if (people.some(({ id }) => getIdentifierRawId(id) === this.identity)) this.isOver = "You were removed.";
      else return this.load();
    });
    this.#on("chatThreadDeleted", () => (this.isOver = "This conversation was deleted."));
  }

  async load() {
    try {
      for await (const { id, displayName } of this.thread.listParticipants()) {
        this.names.set(getIdentifierRawId(id), displayName);
      }
      for await (const { sender, chatMessageId } of this.thread.listReadReceipts()) this.#read(sender, chatMessageId);
      for await (const page of this.thread.listMessages({ maxPageSize: 100 }).byPage()) {
        for (const message of page) this.#put(fromList(message));
        break;
      }
    } catch (error) {
      this.isOver = error.message;
    }
    this.changed();
  }

  // The oldest of them first.
  get inOrder() {
    return [...this.messages.values()].sort((one, other) => Number(one.id) - Number(other.id));
  }

  get whoTypes() {
    return [...this.typing.keys()].map((id) => this.nameOf(id));
  }

  nameOf(id) {
    return this.names.get(id) ?? "The app";
  }

  send(content) {
    return this.thread.sendMessage({ content }, { senderDisplayName: this.name });
  }

  edit(id, content) {
    return this.thread.updateMessage(id, { content });
  }

  erase(id) {
    return this.thread.deleteMessage(id);
  }

  // The client itself sends at most one of these in eight seconds.
  tellTyping() {
    return this.thread.sendTypingNotification({ senderDisplayName: this.name });
  }

  // All that is there is read, once.
  async markRead() {
    const newest = this.inOrder.findLast(({ sender }) => sender && sender !== this.identity);
    if (!newest || Number(newest.id) <= Number(this.receipts.get(this.identity) ?? 0)) return;
    this.receipts.set(this.identity, newest.id);
    await this.thread.sendReadReceipt({ chatMessageId: newest.id });
  }

  async stop() {
    this.credential.dispose();
    await this.client.stopRealtimeNotifications();
  }

  #on(name, work) {
    this.client.on(name, async (event) => {
      if (event.threadId !== this.id) return;
      await work(event);
      this.changed();
    });
  }

  // An event may come after a newer state of the same message was loaded.
  #put(message) {
    const known = this.messages.get(message.id);
    if (!known || Number(known.version) <= Number(message.version)) this.messages.set(message.id, message);
  }

  #read(reader, id) {
    const who = getIdentifierRawId(reader);
    if (Number(id) > Number(this.receipts.get(who) ?? 0)) this.receipts.set(who, id);
  }

  #typed(who) {
    if (who === this.identity) return;
    clearTimeout(this.typing.get(who));
    this.typing.set(who, setTimeout(() => this.typing.delete(who) && this.changed(), TYPING_MILLISECONDS));
  }
}

const fromEvent = ({ id, version, type, message, sender, createdOn }) => ({
  id, version, createdOn, sender: getIdentifierRawId(sender), text: message ?? "", isHtml: /html/i.test(type),
});

const fromList = ({ id, version, type, content, sender, createdOn, editedOn, deletedOn }) => ({
  id, version, createdOn, type, content,
  sender: sender && getIdentifierRawId(sender),
  text: content?.message ?? "",
  isHtml: type === "html",
  isEdited: editedOn !== undefined,
  isDeleted: deletedOn !== undefined,
});
