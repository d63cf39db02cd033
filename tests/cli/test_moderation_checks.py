"""What `doctor` says of the moderation webhook."""

import socket

from tests.support.moderators import SECRET, moderator
from watchword.cli.findings import Finding
from watchword.cli.moderation_checks import check_moderation
from watchword.settings import Settings


def found(**settings: object) -> list[Finding]:
    usual = {"moderation_secret": SECRET, "moderation_timeout": 30.0, "outbound_networks": ("127.0.0.0/8", "::1")}
    chosen = {**usual, **settings}
    return list(check_moderation(Settings(**chosen)))  # type: ignore[arg-type]


def test_nothing_is_said_where_no_webhook_is_set() -> None:
    assert found() == []


def test_webhook_that_is_there_is_in_order_and_is_shown_nothing() -> None:
    with moderator() as made:
        [finding] = found(moderation_url=made.address)
    assert finding.status == "ok"
    assert "answers HEAD with 501" in finding.message
    assert made.asked == []


def test_webhook_that_is_not_there_is_a_problem_and_says_what_becomes_of_messages() -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        address = f"http://127.0.0.1:{nobody.getsockname()[1]}/"
    [refusing] = found(moderation_url=address)
    [allowing] = found(moderation_url=address, moderation_on_failure="allow")
    assert refusing.status == allowing.status == "problem"
    assert "refused with 503" in refusing.remedy
    assert "stored unseen" in allowing.remedy


def test_name_that_leads_to_this_machine_is_a_problem_unless_it_is_allowed() -> None:
    with moderator() as made:
        address = made.address.replace("127.0.0.1", "localhost")
        [finding] = found(moderation_url=address, outbound_networks=())
    assert finding.status == "problem"
    assert "--outbound-networks" in finding.message


def test_setting_that_cannot_be_used_is_a_problem_in_the_words_of_the_start() -> None:
    [finding] = found(moderation_url="https://hooks.example/", moderation_secret="")
    assert (finding.status, finding.about) == ("problem", "moderation")
    assert "no secret" in finding.message
