"""The service for verifiers, put together."""

from __future__ import annotations

from watchword.ground import Ground
from watchword.resources.credentials import Credentials
from watchword.rest.doors import Doors
from watchword.rest.resource_hosts import ResourceHosts
from watchword.rest.service import Service
from watchword.verification.operations import VerificationOperations


def open_verification(ground: Ground, doors: Doors) -> Service:
    operations = VerificationOperations(
        Credentials(ground.database),
        ground.keyring,
        ground.revocations,
        issuers=ground.issuers,
        hosts=ResourceHosts(ground.settings.resource_suffix),
        subjects=ground.subjects,
        feed=ground.feed,
    )
    return Service(operations.bindings(doors))
