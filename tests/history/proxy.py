"""A wire between one verifier and a node: it forwards bytes, and is killed or stopped to cut the wire or to jam it."""

from __future__ import annotations

import asyncio
import contextlib

from tests.history.service import Address


def forward(port: int, target: Address) -> None:
    """Until it is killed."""
    asyncio.run(_serve(port, target))


async def _serve(port: int, target: Address) -> None:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection(*target)
        except OSError:
            writer.close()
            return
        await asyncio.gather(_copy(reader, far_writer), _copy(far_reader, writer))

    server = await asyncio.start_server(connected, "127.0.0.1", port, reuse_address=True)
    await server.serve_forever()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while chunk := await reader.read(65_536):
            writer.write(chunk)
            await writer.drain()
    writer.close()
