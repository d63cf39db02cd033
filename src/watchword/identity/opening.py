"""The identity service, put together."""

from __future__ import annotations

from watchword.ground import Ground
from watchword.identity.access_tokens import AccessTokens
from watchword.identity.identities import Identities
from watchword.identity.last_tokens import LastTokens
from watchword.identity.operations import IdentityOperations
from watchword.identity.store import IdentityStore, identities_of_resource
from watchword.rest.doors import Doors
from watchword.rest.service import Service


def open_identity(ground: Ground, doors: Doors) -> Service:
    store = IdentityStore(ground.database)
    identities = Identities(
        store,
        ground.feed,
        ground.minter,
        clock=ground.clock,
        reading_clock=ground.reading_clock,
        clock_watch=ground.clock_watch,
    )
    last_tokens = LastTokens(store)
    access_tokens = AccessTokens(
        ground.keyring,
        ground.issuers,
        last_tokens,
        clock=ground.clock,
        service_clock=ground.service_clock,
        clock_watch=ground.clock_watch,
    )
    operations = IdentityOperations(identities, access_tokens, ground.users)
    return Service(
        operations.bindings(doors),
        background=[last_tokens.keep_flushing],
        purges=[identities_of_resource(ground.database)],
    )
