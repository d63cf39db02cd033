"""One error of each kind, and of each of its wordings, that a caller can be told."""

from datetime import timedelta

from watchword import errors
from watchword.errors import CallerError, Unavailable
from watchword.wire import chat_errors, identity_errors, management_errors, trusted_import_errors
from watchword.wire.errors import WireError

IDENTITY: list[CallerError | Unavailable] = [
    errors.NotAuthenticated("The Authorization header is missing."),
    errors.NotAllowed("A verifier credential is good for /introspect and /revocations only."),
    errors.IdentityNotOwned(),
    errors.IdentityNotFound(),
    errors.MalformedIdentity(),
    errors.MalformedBody("Expected `array`, got `int`", "scopes"),
    errors.MalformedBody("Input data was truncated"),
    errors.MissingField("scopes"),
    errors.NoScopes(),
    errors.UnknownScope("chat.all", "scopes", ("chat", "voip")),
    errors.InvalidLifetime(59, 60, 1440),
    errors.InvalidCustomId(257, 256),
    errors.Unstorable(),
    errors.InvalidQuery("maxPageSize", "It must be a whole number."),
    errors.MalformedGuid("objectId"),
    errors.InvalidUserToken("The Entra ID token has expired."),
    errors.UnexpectedUserToken("appId", malformed=True),
    errors.UnexpectedUserToken("appId", malformed=False),
    errors.UnexpectedUserToken("userId", malformed=True),
    errors.UnexpectedUserToken("userId", malformed=False),
    errors.AssignmentNotFound(),
    errors.InvalidHost("The Host header is missing."),
    errors.InvalidHost("The Host header is not one host with an optional port."),
    errors.ForeignHost("rebound.example:8443"),
    errors.UnsupportedApiVersion("https://localhost/identities", "2099-01-01", ("2021-03-07", "2023-10-01")),
    errors.MissingApiVersion(("2021-03-07", "2023-10-01")),
    errors.UnknownPath("/nowhere"),
    errors.MethodNotAllowed("PUT", ("GET", "POST")),
    errors.HttpsRequired(),
    errors.UpgradeRequired("only GET of HTTP/1.1 can ask for one"),
    errors.InvalidHandshake("Sec-WebSocket-Key is missing, or is not as RFC 6455 says"),
    errors.TooLarge("body", 65_536),
    errors.TooLarge("head", 32_768),
    errors.TooLarge("signed head", 24_576),
    errors.TooSlow("body", timedelta(seconds=20)),
    errors.TooManyRequests("issue", 1_000, 30, timedelta(seconds=7)),
    errors.NotServed("TeamsExtensionToken_Exchange", "It is not part of this release."),
    Unavailable(timedelta(seconds=2)),
    errors.WrongClock(timedelta(seconds=5), "The clock is 2:00:00 ahead.", "Set it right."),
    errors.IssuerUnavailable(timedelta(seconds=5), "https://login.example/tenant"),
]
"""What callers of the Identity API are told, and what any service may find."""

MANAGEMENT: list[CallerError | Unavailable] = [
    errors.NotAuthenticated("The operator's token is unknown, or was deleted."),
    errors.NotAllowed("A reader may look, and see no secrets; this takes a contributor."),
    errors.NoManagementRole("33333333-3333-4333-8333-333333333333"),
    errors.GroupNotFound("contoso"),
    errors.ResourceNotFound("chat", "contoso"),
    errors.ResourceNotFound("chat"),
    errors.OperationNotFound(),
    errors.BeingDeleted("resource group", "contoso"),
    errors.BeingDeleted("resource", "chat"),
    errors.NameTaken("chat"),
    errors.InvalidName("resource group", "It has 1 to 90 letters."),
    errors.InvalidName("resource", "It has 1 to 63 letters."),
    errors.InvalidProperty("properties.dataLocation", "It is chosen once."),
    errors.TooManyResources(64),
    errors.KeyTaken(),
]
"""What callers of the management API are told."""

CHAT: list[CallerError | Unavailable] = [
    errors.NotAuthenticated("There is no access token."),
    errors.NotAllowed("Chat_CreateChatThread needs an access token with one of the scopes chat; this one has: voip."),
    errors.NotAParticipant(),
    errors.NotTheSender(),
    errors.ThreadNotFound(),
    errors.MessageNotFound(),
    errors.UnknownReadMessage(),
    errors.ParticipantNotFound(),
    errors.MalformedThreadId(),
    errors.MalformedMessageId("invalid_chat_message_id"),
    errors.MalformedParticipant("8:acs:invalidUserId"),
    errors.UnsupportedParticipant("28:orgid:33333333-3333-4333-8333-333333333333"),
    errors.TooManyParticipants("call", 201, 200),
    errors.TooManyParticipants("thread", 251, 250),
    errors.TopicInForce(),
    errors.HistoryUnfinished(),
    errors.InvalidTopic(1_001, 1_000),
    errors.InvalidDisplayName(257, 256),
    errors.MetadataTooLarge("participant", 1_025, 1_024),
    errors.InvalidRetention(29, 30, 90),
    errors.EmptyMessage(),
    errors.UnsupportedMessageType("topicUpdated"),
    errors.MessageTooLarge(28_673, 28_672),
    errors.ContentRefused("No advertisements, please."),
    errors.ContentRefused(""),
    errors.ThreadFrozen(),
    errors.Restricted("mute", False, 1_796_000_000_000),
    errors.Restricted("ban", True, None),
    errors.UserNotFound(),
    errors.NotRestricted(),
    errors.EndsInThePast(),
    errors.ChatQuotaExceeded("messages of a thread", 10_000),
    errors.MalformedBody("Expected `str`, got `int`", "topic"),
    errors.MalformedBody("Input data was truncated"),
    errors.MissingField("topic"),
    errors.InvalidQuery("syncState", "It must be taken from a nextLink of this list."),
    errors.Unstorable(),
    errors.TooLarge("body", 200_000),
    errors.TooManyRequests("sendTyping", 5, 10, timedelta(seconds=7), "user"),
    errors.NotServed("ChatThread_UploadChatImage", "Images are not stored here."),
    errors.UnsupportedApiVersion("https://localhost/chat/threads", "2099-01-01", ("2021-03-07", "2025-03-15")),
    Unavailable(timedelta(seconds=2)),
    errors.ModeratorUnavailable(timedelta(seconds=5)),
]
"""What callers of the Chat API are told."""

IMPORTS: list[CallerError | Unavailable] = [
    errors.MalformedImportId(),
    errors.ImportNotFound(),
    errors.ImportFinished(),
    errors.ThreadTaken(),
    errors.RecordsMissing(500, 200),
    errors.TooManyRecords(501, 500),
    errors.InvalidMoment("Its times are from 1970 until now, and it was changed after it was written."),
    errors.HistoryTooOld(30),
    errors.RecordRefused(17, errors.EmptyMessage()),
]
"""What who brings a history in is told besides."""

SAMPLES = [*IDENTITY, *MANAGEMENT, *CHAT, *IMPORTS]


def describe(sample: CallerError | Unavailable) -> WireError:
    """In the words of the contract that has a sample of it."""
    if any(sample is each for each in CHAT):
        return chat_errors.describe(sample)
    if any(sample is each for each in IMPORTS):
        return trusted_import_errors.describe(sample)
    is_managed = any(sample is each for each in MANAGEMENT)
    return management_errors.describe(sample) if is_managed else identity_errors.describe(sample)
