"""The OpenAPI 3.1 document of exactly what is served."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from watchword.rest.call import PublicBinding, RawAnswer, Request
from watchword.rest.routes import AnyBinding
from watchword.wire.operations import Operation

OPENAPI = Operation("Watchword_GetOpenApi", "GET", "/openapi.json", 200, None, "This document.")


class OpenApi:
    def __init__(self, bindings: Sequence[AnyBinding]) -> None:
        self._operations = [*(binding.operation for binding in bindings), OPENAPI]

    def bindings(self) -> list[PublicBinding]:
        return [PublicBinding(OPENAPI, self.document)]

    async def document(self, request: Request) -> RawAnswer:
        del request
        paths = {o.path: {o.method.lower(): {"operationId": o.id}} for o in self._operations}
        return RawAnswer(
            msgspec.json.encode({"openapi": "3.1.0", "paths": paths}), (("content-type", "application/json"),)
        )
