"""The official Java client, which signs and sends the host without its port, and is the strictest reader of tokens."""

import pytest

from tests.sdk.contract import IdentityContract, LifetimeContract, TeamsContract
from tests.sdk.java_client import java_command
from tests.sdk.programs import FIRST_SCOPES, Plan

# The operations that take a lifetime were written later, and let the generated error through.
_NAMES = frozenset({"IdentityErrorResponseException", "CommunicationErrorResponseException"})
_ERRORS = dict.fromkeys((400, 401, 404, 501), _NAMES)

OLDEST = Plan("2021-03-07", lambda: java_command("Scenario", "2021-03-07"), _ERRORS, FIRST_SCOPES, ())
NEWEST = Plan("2022-10-01", lambda: java_command("Scenario", "2022-10-01"), _ERRORS, FIRST_SCOPES)


@pytest.mark.parametrize("plan", [OLDEST, NEWEST], ids=str)
class TestIdentities(IdentityContract):
    """The oldest and the newest api-version of the client."""


@pytest.mark.parametrize("plan", [NEWEST], ids=str)
class TestLifetimes(LifetimeContract, TeamsContract):
    """What came with the newest."""
