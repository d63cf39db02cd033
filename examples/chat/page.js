// What one person sees of the conversation, and does in it.

import { getIdentifierRawId } from "@azure/communication-common";
import { Conversation } from "./conversation.js";

const found = (id) => document.getElementById(id);
let chat, editing;

found("enter").addEventListener("click", async () => {
  await fetch("session", { method: "POST" });
  await attempt(enter);
});

found("sending").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = found("text").value.trim();
  if (text) attempt(() => say(text));
});

found("text").addEventListener("input", () => chat.tellTyping().catch(() => {}));

found("leave").addEventListener("click", async () => {
  // The token in this page is dead from now on, and so are all others of this user.
  await fetch("token", { method: "DELETE" });
  await chat.load();
});

// The app's own server knows who this is, and asks Watchword for a token.
async function token() {
  const answer = await fetch("token", { method: "POST" });
  const said = await answer.json();
  if (!answer.ok) throw new Error(said.error);
  return said;
}

async function enter() {
  const me = await token();
  await requireTrust(me.endpoint);
  chat = new Conversation(me, { refresh: async () => (await token()).token, changed: show });
  document.title = found("who").textContent = me.name;
  await chat.start();
  found("login").hidden = true;
  found("chat").hidden = false;
  found("text").focus();
}

// A certificate that a browser does not know looks like a network that is down; here at least is what to do.
async function requireTrust(endpoint) {
  try {
    await fetch(`${endpoint}/healthz`, { mode: "no-cors" });
  } catch {
    throw new Error(`This browser does not reach ${endpoint}, or does not trust its certificate. Run "watchword trust \
install" once and start the browser anew, or open that address and accept the certificate; then sign in again.`);
  }
}

async function say(text) {
  await (editing ? chat.edit(editing, text) : chat.send(text));
  editing = undefined;
  found("text").value = "";
}

function show() {
  const readers = readersOf(chat);
  found("messages").replaceChildren(...chat.inOrder.map((each) => line(each, readers.get(each.id) ?? [])));
  found("messages").lastElementChild?.scrollIntoView();
  const typing = chat.whoTypes;
  found("typing").textContent = typing.length ? `${typing.join(", ")} ${typing.length > 1 ? "are" : "is"} typing ...` : "";
  found("state").textContent = chat.isConnected ? "live" : "connecting ...";
  if (chat.isOver) leave(chat.isOver);
  else chat.markRead().catch(() => {});
}

function leave(reason) {
  tell(reason);
  found("login").hidden = false;
  found("chat").hidden = true;
  chat.stop().catch(() => {});
}

// Who has read a message has read all before it: a name stands once, below the newest message of somebody else.
function readersOf({ receipts, inOrder }) {
  const readers = new Map();
  for (const [reader, read] of receipts) {
    if (reader === chat.identity) continue;
    const newest = inOrder.findLast(({ id, sender }) => Number(id) <= Number(read) && sender && sender !== reader);
    if (newest) readers.set(newest.id, [...(readers.get(newest.id) ?? []), chat.nameOf(reader)]);
  }
  return readers;
}

function line(message, readers) {
  const item = document.createElement("li");
  const isOwn = message.sender === chat.identity;
  item.className = message.sender === undefined ? "system" : isOwn ? "own" : "other";
  if (message.sender) add(item, "name", chat.nameOf(message.sender));
  add(item, "said", said(message));
  const foot = add(item, "foot", " ");
  const time = message.createdOn.toLocaleTimeString([], { timeStyle: "short" });
  add(foot, "time", message.isEdited ? `${time}, edited` : time);
  if (isOwn && !message.isDeleted) {
    button(foot, "Edit", () => {
      editing = message.id;
      found("text").value = message.text;
      found("text").focus();
    });
    button(foot, "Delete", () => attempt(() => chat.erase(message.id)));
  }
  add(item, "readers", readers.length ? `read by ${readers.join(", ")}` : "");
  return item;
}

function said({ type, content, text, isHtml, isDeleted }) {
  const people = (content?.participants ?? []).map(({ id }) => chat.nameOf(getIdentifierRawId(id))).join(", ");
  if (type === "participantAdded") return `${people} came in`;
  if (type === "participantRemoved") return `${people} left`;
  if (type === "topicUpdated") return `The topic is: ${content.topic}`;
  if (isDeleted) return "(deleted)";
  return isHtml ? new DOMParser().parseFromString(text, "text/html").body.textContent : text;
}

function add(parent, kind, text) {
  if (!text) return;
  const element = document.createElement("span");
  element.className = kind;
  element.textContent = text;
  parent.append(element);
  return element;
}

function button(parent, text, work) {
  const element = document.createElement("button");
  element.textContent = text;
  element.addEventListener("click", work);
  parent.append(element);
}

async function attempt(work) {
  try {
    tell("");
    await work();
  } catch (error) {
    tell(error.message);
  }
}

function tell(text) {
  found("trouble").textContent = text;
  found("trouble").hidden = !text;
}
