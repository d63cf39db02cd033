"""Who speaks: the user of an access token, as the rules of chat know them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from watchword.resources.store import Resource


async def _is_proved() -> None:
    """Nobody waited: what was proved still is."""


@dataclass(frozen=True, slots=True)
class Speaker:
    """`subject` is the skypeid of the token, such as `acs:<resource>_<rest>`, and of that resource.

    `prove_again` judges the token once more, for who waited for something; it raises what a door raises.
    """

    resource: Resource
    subject: str
    prove_again: Callable[[], Awaitable[object]] = field(default=_is_proved, compare=False, repr=False)


def trusted_server(resource: Resource) -> Speaker:
    """Who stands for the resource's own server where a user is to be named: `8:acs:<resource>_` and a guid of zeros.

    Assumed: what the trusted server does is told as the doing of this user, who was never made and takes part nowhere.
    Every client's parser wants a user there, in answers and in events.
    """
    return Speaker(resource, f"acs:{resource.id}_00000000-0000-0000-0000-000000000000")
