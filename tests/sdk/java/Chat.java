import com.azure.communication.chat.ChatClient;
import com.azure.communication.chat.ChatClientBuilder;
import com.azure.communication.chat.ChatServiceVersion;
import com.azure.communication.chat.ChatThreadClient;
import com.azure.communication.chat.implementation.models.CommunicationError;
import com.azure.communication.chat.implementation.models.CommunicationErrorResponse;
import com.azure.communication.chat.models.ChatError;
import com.azure.communication.chat.models.ChatMessage;
import com.azure.communication.chat.models.ChatMessageContent;
import com.azure.communication.chat.models.ChatMessageReadReceipt;
import com.azure.communication.chat.models.ChatMessageType;
import com.azure.communication.chat.models.ChatParticipant;
import com.azure.communication.chat.models.ChatThreadItem;
import com.azure.communication.chat.models.ChatThreadProperties;
import com.azure.communication.chat.models.CreateChatThreadOptions;
import com.azure.communication.chat.models.CreateChatThreadResult;
import com.azure.communication.chat.models.ListChatMessagesOptions;
import com.azure.communication.chat.models.ListChatThreadsOptions;
import com.azure.communication.chat.models.ListParticipantsOptions;
import com.azure.communication.chat.models.ListReadReceiptOptions;
import com.azure.communication.chat.models.SendChatMessageOptions;
import com.azure.communication.chat.models.TypingNotificationOptions;
import com.azure.communication.chat.models.UpdateChatMessageOptions;
import com.azure.communication.common.CommunicationIdentifier;
import com.azure.communication.common.CommunicationTokenCredential;
import com.azure.communication.common.CommunicationUserIdentifier;
import com.azure.core.exception.HttpResponseException;
import com.azure.core.http.policy.FixedDelayOptions;
import com.azure.core.http.policy.RetryOptions;
import com.azure.core.http.rest.PagedIterable;
import com.azure.core.util.Context;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * The official Java chat client, driven a line at a time: an order in, what the client made of the answer out.
 * The same orders as ../python/chat.py. Its one argument is the api-version.
 */
public class Chat {
    private static final ObjectMapper JSON = new ObjectMapper();

    public static void main(String[] arguments) throws Exception {
        BufferedReader orders = new BufferedReader(new InputStreamReader(System.in, "UTF-8"));
        for (String line = orders.readLine(); line != null; line = orders.readLine()) {
            JsonNode order = JSON.readTree(line);
            System.out.write((JSON.writeValueAsString(answer(order, arguments[0])) + "\n").getBytes("UTF-8"));
            System.out.flush();
        }
        // The client's own threads would keep the process for a while.
        System.exit(0);
    }

    private static Map<String, Object> answer(JsonNode order, String version) {
        Map<String, Object> told = new LinkedHashMap<>();
        try {
            ChatClient client = connect(order.get("token").asText(), version);
            told.put("value", carryOut(client, order.get("operation").asText(), order.get("arguments")));
        } catch (HttpResponseException error) {
            told.put("error", error.getClass().getSimpleName());
            told.put("status", error.getResponse().getStatusCode());
            describe(error.getValue(), told);
        }
        return told;
    }

    /** Lists let the generated error through, everything else throws the public one. */
    private static void describe(Object error, Map<String, Object> told) {
        if (error instanceof ChatError) {
            told.put("code", ((ChatError) error).getCode());
            told.put("message", ((ChatError) error).getMessage());
        } else {
            CommunicationError detail = ((CommunicationErrorResponse) error).getError();
            told.put("code", detail.getCode());
            told.put("message", detail.getMessage());
        }
    }

    private static ChatClient connect(String token, String version) {
        ChatServiceVersion chosen = null;
        for (ChatServiceVersion each : ChatServiceVersion.values()) {
            chosen = each.getVersion().equals(version) ? each : chosen;
        }
        return new ChatClientBuilder()
            .endpoint(System.getenv("CHAT_ENDPOINT"))
            .credential(new CommunicationTokenCredential(token))
            .serviceVersion(chosen)
            .retryOptions(new RetryOptions(new FixedDelayOptions(0, Duration.ZERO)))
            .buildClient();
    }

    private static Object carryOut(ChatClient client, String operation, JsonNode asked) {
        switch (operation) {
            case "createThread":
                return create(client, asked);
            case "listThreads":
                ListChatThreadsOptions threads = new ListChatThreadsOptions().setMaxPageSize(number(asked, "size"));
                return pages(client.listChatThreads(threads.setStartTime(moment(asked, "start")), Context.NONE), Chat::show);
            case "deleteThread":
                client.deleteChatThread(text(asked, "thread"));
                return null;
            default:
                return inThread(client.getChatThreadClient(text(asked, "thread")), operation, asked);
        }
    }

    private static Object create(ChatClient client, JsonNode asked) {
        CreateChatThreadOptions options = new CreateChatThreadOptions(text(asked, "topic"));
        if (asked.has("participants")) {
            options.setParticipants(participants(asked));
        }
        if (asked.has("repeatability")) {
            options.setIdempotencyToken(text(asked, "repeatability"));
        }
        CreateChatThreadResult made = client.createChatThread(options);
        Map<String, Object> shown = new LinkedHashMap<>();
        shown.put("thread", show(made.getChatThread()));
        shown.put("invalid", invalid(made.getInvalidParticipants()));
        return shown;
    }

    private static Object inThread(ChatThreadClient talk, String operation, JsonNode asked) {
        switch (operation) {
            case "getThread":
                return show(talk.getProperties());
            case "updateThread":
                talk.updateTopic(text(asked, "topic"));
                return null;
            case "listParticipants":
                ListParticipantsOptions some = new ListParticipantsOptions().setMaxPageSize(number(asked, "size"));
                return pages(talk.listParticipants(some.setSkip(number(asked, "skip")), Context.NONE), Chat::show);
            case "addParticipants":
                return invalid(talk.addParticipants(participants(asked)).getInvalidParticipants());
            case "removeParticipant":
                talk.removeParticipant(new CommunicationUserIdentifier(text(asked, "id")));
                return null;
            case "sendReceipt":
                talk.sendReadReceipt(text(asked, "message"));
                return null;
            case "listReceipts":
                ListReadReceiptOptions receipts = new ListReadReceiptOptions().setMaxPageSize(number(asked, "size"));
                return pages(talk.listReadReceipts(receipts.setSkip(number(asked, "skip")), Context.NONE), Chat::show);
            case "sendTyping":
                talk.sendTypingNotificationWithResponse(
                    new TypingNotificationOptions().setSenderDisplayName(text(asked, "name")), Context.NONE);
                return null;
            default:
                return ofMessages(talk, operation, asked);
        }
    }

    private static Object ofMessages(ChatThreadClient talk, String operation, JsonNode asked) {
        switch (operation) {
            case "sendMessage":
                SendChatMessageOptions sent = new SendChatMessageOptions().setContent(text(asked, "content"))
                    .setSenderDisplayName(text(asked, "name")).setMetadata(metadata(asked));
                if (asked.has("type")) {
                    sent.setType(ChatMessageType.fromString(text(asked, "type")));
                }
                return talk.sendMessage(sent).getId();
            case "getMessage":
                return show(talk.getMessage(text(asked, "message")));
            case "updateMessage":
                talk.updateMessage(text(asked, "message"),
                    new UpdateChatMessageOptions().setContent(text(asked, "content")).setMetadata(metadata(asked)));
                return null;
            case "deleteMessage":
                talk.deleteMessage(text(asked, "message"));
                return null;
            case "listMessages":
                ListChatMessagesOptions some = new ListChatMessagesOptions().setMaxPageSize(number(asked, "size"));
                return pages(talk.listMessages(some.setStartTime(moment(asked, "start")), Context.NONE), Chat::show);
            default:
                throw new IllegalArgumentException(operation);
        }
    }

    private static <T> List<List<Object>> pages(PagedIterable<T> found, Function<T, Object> show) {
        List<List<Object>> all = new ArrayList<>();
        found.iterableByPage().forEach(page -> {
            List<Object> shown = new ArrayList<>();
            page.getElements().forEach(each -> shown.add(show.apply(each)));
            all.add(shown);
        });
        return all;
    }

    private static List<ChatParticipant> participants(JsonNode asked) {
        List<ChatParticipant> all = new ArrayList<>();
        for (JsonNode each : asked.get("participants")) {
            all.add(new ChatParticipant()
                .setCommunicationIdentifier(new CommunicationUserIdentifier(text(each, "id")))
                .setDisplayName(text(each, "name"))
                .setShareHistoryTime(moment(each, "since")));
        }
        return all;
    }

    private static List<List<String>> invalid(List<ChatError> found) {
        List<List<String>> all = new ArrayList<>();
        if (found != null) {
            found.forEach(each -> all.add(List.of(each.getTarget(), each.getCode(), each.getMessage())));
        }
        return all;
    }

    private static Map<String, Object> show(ChatThreadProperties found) {
        Map<String, Object> shown = new LinkedHashMap<>();
        shown.put("id", found.getId());
        shown.put("topic", found.getTopic());
        shown.put("createdOn", time(found.getCreatedOn()));
        shown.put("createdBy", user(found.getCreatedBy()));
        return shown;
    }

    private static Map<String, Object> show(ChatThreadItem found) {
        Map<String, Object> shown = new LinkedHashMap<>();
        shown.put("id", found.getId());
        shown.put("topic", found.getTopic());
        shown.put("deletedOn", time(found.getDeletedOn()));
        shown.put("lastMessageReceivedOn", time(found.getLastMessageReceivedOn()));
        return shown;
    }

    private static Map<String, Object> show(ChatParticipant found) {
        Map<String, Object> shown = new LinkedHashMap<>();
        shown.put("id", user(found.getCommunicationIdentifier()));
        shown.put("name", found.getDisplayName());
        shown.put("since", time(found.getShareHistoryTime()));
        return shown;
    }

    private static Map<String, Object> show(ChatMessageReadReceipt found) {
        Map<String, Object> shown = new LinkedHashMap<>();
        shown.put("sender", user(found.getSender()));
        shown.put("message", found.getChatMessageId());
        shown.put("readOn", time(found.getReadOn()));
        return shown;
    }

    private static Map<String, Object> show(ChatMessage found) {
        ChatMessageContent content = found.getContent();
        List<Object> participants = new ArrayList<>();
        if (content.getParticipants() != null) {
            content.getParticipants().forEach(each -> participants.add(show(each)));
        }
        Map<String, Object> shown = new LinkedHashMap<>();
        shown.put("id", found.getId());
        shown.put("type", found.getType().toString());
        shown.put("version", found.getVersion());
        shown.put("content", content.getMessage());
        shown.put("topic", content.getTopic());
        shown.put("participants", participants);
        shown.put("initiator", user(content.getInitiator()));
        shown.put("name", found.getSenderDisplayName());
        shown.put("sender", user(found.getSender()));
        shown.put("createdOn", time(found.getCreatedOn()));
        shown.put("editedOn", time(found.getEditedOn()));
        shown.put("deletedOn", time(found.getDeletedOn()));
        shown.put("metadata", found.getMetadata() == null ? Map.of() : found.getMetadata());
        return shown;
    }

    private static String user(CommunicationIdentifier found) {
        return found == null ? null : found.getRawId();
    }

    private static String time(OffsetDateTime found) {
        return found == null ? null : found.toInstant().toString();
    }

    private static OffsetDateTime moment(JsonNode asked, String name) {
        return asked.has(name) ? OffsetDateTime.parse(asked.get(name).asText()) : null;
    }

    private static String text(JsonNode asked, String name) {
        return asked.has(name) ? asked.get(name).asText() : null;
    }

    private static Integer number(JsonNode asked, String name) {
        return asked.has(name) ? asked.get(name).asInt() : null;
    }

    private static Map<String, String> metadata(JsonNode asked) {
        if (!asked.has("metadata")) {
            return null;
        }
        Map<String, String> all = new LinkedHashMap<>();
        asked.get("metadata").fields().forEachRemaining(each -> all.put(each.getKey(), each.getValue().asText()));
        return all;
    }
}
