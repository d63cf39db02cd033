"""Which client sent this request: the official one and its version, or our own, out of what it says of itself.

    User-Agent: azsdk-python-communication-identity/1.5.0 Python/3.11.2 (Linux-...)
    x-ms-useragent: azsdk-js-communication-identity/1.3.1 core-rest-pipeline/1.20.0 OS/Linux

In a browser no program may set User-Agent, hence the second header.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from watchword.bounded_cache import bounded_cache

_LONGEST_READ = 256
"""Characters of each header: official clients say who they are at the beginning. More would be a stranger's to choose,
whom the search could be made to cost the square of it.
"""

# Names from .NET have a dot in them, such as azsdk-net-Communication.Identity.
_SDK = re.compile(r"azsdk-[A-Za-z]+-[A-Za-z.-]+/[0-9A-Za-z.-]+|watchword/[0-9A-Za-z.-]+", re.ASCII)


def find_sdk(sent: Mapping[str, str]) -> str | None:
    """Name and version, such as `azsdk-python-communication-identity/1.5.0`; `sent` are the request's headers."""
    agent, second_agent = sent.get("user-agent", ""), sent.get("x-ms-useragent", "")
    return _find(f"{agent[:_LONGEST_READ]} {second_agent[:_LONGEST_READ]}")


@bounded_cache(most_entries=256, longest_text=2 * _LONGEST_READ + 1)
def _find(agents: str) -> str | None:
    found = _SDK.search(agents)
    return found[0] if found else None
