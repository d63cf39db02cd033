"""The moderator that settings name: refused in words before anything is made, where it could not be asked."""

from pathlib import Path

import pytest

from tests.support.chat_users import new_user
from tests.support.moderators import SECRET, moderator
from tests.support.servers import running_server
from tests.support.signed import SignedClient
from watchword.chat.opening import open_moderator
from watchword.clock import SystemClock
from watchword.errors import OperatorError
from watchword.measurements import ModerationCounts
from watchword.settings import Settings


def opened(**settings: object) -> object:
    chosen = {"moderation_url": "https://hooks.example/moderate", "moderation_secret": SECRET, **settings}
    return open_moderator(Settings(**chosen), SystemClock(), ModerationCounts())  # type: ignore[arg-type]


def test_without_an_address_there_is_no_moderator() -> None:
    assert opened(moderation_url="", moderation_secret="") is None
    assert opened() is not None


@pytest.mark.parametrize(
    "address",
    [
        *("hooks.example", "ftp://hooks.example/", "https://user:s3cret@hooks.example/", "https://hooks.example:22/"),
        *("http://127.0.0.1:8001/", "http://[::1]:8001/", "http://10.0.0.1/", "https://169.254.169.254/"),
        *("http://1.1.1.1/", "https://2130706433/", "https://[::ffff:169.254.169.254]/"),
    ],
)
def test_address_that_may_not_be_called_is_refused_in_words(address: str) -> None:
    with pytest.raises(OperatorError, match="--moderation-url cannot be called") as refused:
        opened(moderation_url=address)
    assert "s3cret" not in str(refused.value)


def test_private_address_is_taken_where_a_setting_allows_it() -> None:
    assert opened(moderation_url="http://10.0.0.1:8001/", outbound_networks=("10.0.0.0/8",)) is not None
    with pytest.raises(OperatorError, match="never"):
        opened(moderation_url="http://169.254.169.254/", outbound_networks=("0.0.0.0/0",))
    with pytest.raises(OperatorError, match="'moderators' is not an address or a network"):
        opened(outbound_networks=("moderators",))


@pytest.mark.parametrize("secret", ["", "short"])
def test_secret_that_signs_nothing_is_refused_in_words(secret: str) -> None:
    with pytest.raises(OperatorError, match="could not tell who asks it"):
        opened(moderation_secret=secret)


def test_file_that_holds_no_secret_is_refused_in_words(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    with pytest.raises(OperatorError, match="cannot be read"):
        opened(moderation_secret="", moderation_secret_file=file)
    file.write_text(" \n")
    with pytest.raises(OperatorError, match="could not tell who asks it"):
        opened(moderation_secret="", moderation_secret_file=file)
    file.write_bytes(b"\xff" * 32)
    with pytest.raises(OperatorError, match="cannot be read"):
        opened(moderation_secret="", moderation_secret_file=file)


def test_secret_of_a_file_signs_without_its_line_end(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(f"{SECRET}\n")
    with (
        moderator() as made,
        running_server(made.settings(moderation_secret="", moderation_secret_file=file)) as server,
        SignedClient(server) as client,
    ):
        new_user(client).new_thread()
    assert len(made.asked) == 1
    assert made.forged == []


def test_nothing_is_made_where_the_moderator_could_not_be_asked(tmp_path: Path) -> None:
    """A first start shows secrets once: they would be lost."""
    data = tmp_path / "data"
    settings = Settings(moderation_url="ftp://hooks.example/", moderation_secret=SECRET, request_log=False)
    with pytest.raises(OperatorError, match="--moderation-url"), running_server(settings, data=data):
        pass
    assert not data.exists()
