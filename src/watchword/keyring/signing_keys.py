"""What an operator does with signing keys. Each rule is one transaction: a key never signs again, and yet verifies, or
is gone from the key set, and yet missing among the revocations.
"""

from __future__ import annotations

from watchword.errors import OperatorError
from watchword.keyring import store
from watchword.keyring.keyring import Keyring
from watchword.keyring.lifecycle import State, states
from watchword.keyring.store import SigningKeyRow
from watchword.revocations.statements import EVERY_RESOURCE
from watchword.revocations.store import record_now
from watchword.storage import Transaction

AT_ONCE = (
    "`watchword keys rotate --now` signs with it at once. Watchword's own verifiers and most others fetch a key that"
    " they do not know, and refuse nothing; one that only fetches the key set by the clock refuses the new tokens until"
    " then: for 5 minutes where it obeys max-age, for up to 12 hours with .NET's stock settings."
)
"""What to do for whom a published key signs too late, and what it costs."""


async def list_keys(transaction: Transaction, keyring: Keyring) -> list[tuple[SigningKeyRow, State]]:
    """Every key that is kept, in the order in which they sign."""
    return states(await store.list_keys(transaction), keyring.micros())


async def rotate(transaction: Transaction, keyring: Keyring, *, at_once: bool = False) -> SigningKeyRow:
    """The key that signs next: the one that is published already, or a new one.

    It signs when verifiers know it; `at_once` does not wait for them, and those who do not ask for a key that they do
    not know refuse its tokens for as long as they keep their key set.
    """
    await keyring.hold(transaction)
    published = [row for row, state in await list_keys(transaction, keyring) if state == "published"]
    now = keyring.micros()
    if not published:
        return await keyring.add_key(transaction, now if at_once else keyring.schedule.start_if_published(now))
    if at_once:
        await store.start_key(transaction, published[0].kid, now)
    return await _get(transaction, published[0].kid)


async def take_up_algorithm(transaction: Transaction, keyring: Keyring) -> None:
    """Where the key that comes next is of another algorithm than the one that signs, it signs at once."""
    by_state = {state: row for row, state in reversed(await list_keys(transaction, keyring))}
    signing, coming = by_state.get("signing"), by_state.get("published")
    if signing and coming and coming.algorithm != signing.algorithm:
        await rotate(transaction, keyring, at_once=True)


async def next_key(transaction: Transaction, keyring: Keyring) -> SigningKeyRow | None:
    """The key that is published and does not sign yet, if there is one."""
    return next((row for row, state in await list_keys(transaction, keyring) if state == "published"), None)


async def retire(transaction: Transaction, keyring: Keyring, kid: str) -> None:
    """It signs no more from now on; what it signed stays valid. If it was the one that signs, another one does.

    Raises:
        OperatorError: there is no such key, or it was revoked.
    """
    await keyring.hold(transaction)
    row = await _get(transaction, kid)
    if row.revoked_micros is not None:
        raise OperatorError(f"The signing key {kid} was revoked.", "There is nothing left to retire.")
    await store.retire_key(transaction, kid, keyring.micros())
    await keyring.ensure_signing(transaction)


async def revoke(transaction: Transaction, keyring: Keyring, kid: str) -> None:
    """Everything that it signed is dead, of every resource. If it was the one that signs, another one does.

    Raises:
        OperatorError: there is no such key.
    """
    await keyring.hold(transaction)
    await _get(transaction, kid)
    await store.revoke_key(transaction, kid, keyring.micros())
    await keyring.ensure_signing(transaction)
    await record_now(transaction, "signingKey", kid, resource=EVERY_RESOURCE, now_micros=keyring.micros())


async def _get(transaction: Transaction, kid: str) -> SigningKeyRow:
    for row in await store.list_keys(transaction):
        if row.kid == kid:
            return row
    raise OperatorError(f"There is no signing key {kid}.", "`watchword keys list` shows those that are kept.")
