"""How every official chat client is refused, whatever its language: an error of its own, and a sentence that helps."""

from tests.sdk.chat_talk import Talk
from tests.support.chat_users import new_user

FORBIDDEN = "The initiator doesn't have the permission to perform the requested operation."
UNKNOWN_THREAD = f"19:acsV1_{43 * '0'}1@thread.v2"
NEVER_WAS = "00000000-0000-4000-8000-000000000000"


class ChatRefusals:
    """`talk` is a fixture of the test module."""

    def test_an_unknown_thread_is_not_found_and_a_malformed_one_is_a_bad_request(self, talk: Talk) -> None:
        for operation, more in (
            ("getThread", {}),
            ("deleteThread", {}),
            ("listMessages", {}),
            ("sendMessage", {"content": "Hello"}),
            ("listParticipants", {}),
            ("sendTyping", {}),
        ):
            status, code, message = talk.refused(talk.ada, operation, thread=UNKNOWN_THREAD, **more)
            assert (status, code) == (404, "NotFound"), operation
            assert (message or "").startswith("The specified thread id was not found."), operation
            assert talk.refused(talk.ada, operation, thread="invalid_thread_id", **more)[:2] == (400, "BadRequest")

    def test_a_malformed_message_id_is_told_in_the_original_sentence_and_an_unknown_one_is_not_found(
        self, talk: Talk
    ) -> None:
        for operation, more in (("getMessage", {}), ("deleteMessage", {}), ("updateMessage", {"content": "x"})):
            status, code, message = talk.refused(talk.ada, operation, message="invalid_chat_message_id", **more)
            assert (status, code) == (400, "BadRequest")
            assert (message or "").startswith("Value for MessageId (invalid_chat_message_id) is not valid.")
            assert talk.refused(talk.ada, operation, message="1600000000000", **more)[:2] == (404, "NotFound")
        assert talk.refused(talk.ada, "sendReceipt", message="1600000000000")[:2] == (404, "NotFound")

    def test_a_malformed_identifier_refuses_the_whole_request(self, talk: Talk) -> None:
        entries = [{"id": talk.bob.id}, {"id": "8:acs:invalidUserId"}]
        for operation, more in (
            ("createThread", {"topic": "Lunch", "participants": entries}),
            ("addParticipants", {"participants": entries}),
            ("removeParticipant", {"id": "8:acs:invalidUserId"}),
        ):
            status, code, message = talk.refused(talk.ada, operation, **more)
            assert (status, code) == (400, "BadRequest")
            assert (message or "").startswith("Identifier format is invalid (8:acs:invalidUserId).")

    def test_who_is_no_participant_is_refused_everything_in_the_thread(self, talk: Talk) -> None:
        stranger = new_user(talk.signed)
        id = talk.here(talk.ada, "sendMessage", content="Hello")
        for operation, more in (
            ("getThread", {}),
            ("updateThread", {"topic": "Mine"}),
            ("deleteThread", {}),
            ("listParticipants", {}),
            ("addParticipants", {"participants": [{"id": stranger.id}]}),
            ("removeParticipant", {"id": talk.bob.id}),
            ("sendMessage", {"content": "Hello"}),
            ("listMessages", {}),
            ("getMessage", {"message": id}),
            ("updateMessage", {"message": id, "content": "x"}),
            ("deleteMessage", {"message": id}),
            ("sendReceipt", {"message": id}),
            ("listReceipts", {}),
            ("sendTyping", {}),
        ):
            status, code, message = talk.refused(stranger, operation, **more)
            assert (status, code) == (403, "Forbidden"), operation
            assert (message or "").startswith(FORBIDDEN), operation

    def test_only_the_sender_edits_or_deletes(self, talk: Talk) -> None:
        id = talk.here(talk.ada, "sendMessage", content="Hello")
        added = talk.here(talk.ada, "listMessages")[0][-1]["id"]
        for message in (id, added):
            assert talk.refused(talk.bob, "updateMessage", message=message, content="x")[0] == 403
            assert talk.refused(talk.bob, "deleteMessage", message=message)[0] == 403
        assert talk.here(talk.bob, "getMessage", message=id)["content"] == "Hello"

    def test_a_scope_that_is_too_narrow_is_named(self, talk: Talk) -> None:
        joining, limited, calling = (talk.others(scope) for scope in ("chat.join", "chat.join.limited", "voip"))
        for user, operation, more in (
            (joining, "createThread", {"topic": "Lunch"}),
            (joining, "updateThread", {"topic": "Mine"}),
            (joining, "deleteThread", {}),
            (limited, "addParticipants", {"participants": [{"id": joining.id}]}),
            (limited, "removeParticipant", {"id": joining.id}),
            (calling, "listThreads", {}),
            (calling, "sendMessage", {"content": "Hello"}),
        ):
            status, code, message = talk.refused(user, operation, **more)
            assert (status, code) == (403, "Forbidden")
            assert "needs an access token with one of the scopes chat" in (message or "")
        for user in (joining, limited):
            assert talk.here(user, "sendMessage", content="Hello")
        assert talk.here(joining, "removeParticipant", id=limited.id) is None

    def test_a_token_that_was_revoked_is_refused_at_once(self, talk: Talk) -> None:
        talk.here(talk.bob, "sendMessage", content="Hello")
        assert talk.signed.revoke(talk.bob.id).status == 204
        status, code, message = talk.refused(talk.bob, "sendMessage", content="Hello")
        assert (status, code) == (401, "Unauthorized")
        assert (message or "").startswith("Request is not authorized.")
        fresh = talk.bob.with_token(talk.signed.new_token(talk.bob.id))
        assert talk.here(fresh, "sendMessage", content="Hello")

    def test_what_is_too_much_is_told_with_the_limit(self, talk: Talk) -> None:
        assert talk.here(talk.ada, "sendMessage", content="é" * 14_336)
        status, code, message = talk.refused(talk.ada, "sendMessage", content="é" * 14_336 + "x")
        assert (status, code) == (413, "RequestEntityTooLarge")
        assert "28672" in (message or "")
        entries = [{"id": f"{talk.ada.id.partition('_')[0]}_{NEVER_WAS[:-3]}{at:03x}"} for at in range(201)]
        status, code, message = talk.refused(talk.ada, "addParticipants", participants=entries)
        assert (status, code, "200" in (message or "")) == (400, "BadRequest", True)
        status, code, message = talk.refused(talk.ada, "updateThread", topic="x" * 1001)
        assert (status, code, "1000" in (message or "")) == (400, "BadRequest", True)

    def test_a_page_of_nothing_is_refused(self, talk: Talk) -> None:
        for operation in ("listThreads", "listMessages", "listParticipants", "listReceipts"):
            status, code, message = talk.refused(talk.ada, operation, size=-1)
            assert (status, code) == (400, "BadRequest"), operation
            assert (message or "").startswith("maxPageSize: "), operation
