"""The process that writes SQLite for all workers: `python -m watchword.server.writer`, which a supervisor starts."""

from __future__ import annotations

import asyncio
import socket
from datetime import timedelta

from watchword.server.orders import Orders, carry_out, follow_orders, ignore_signals, report_ready
from watchword.storage.opening import DATABASE_FILE
from watchword.storage.sqlite import SqliteDatabase
from watchword.storage.sqlite_writer import SqliteWriter

_LEFT_AFTER_DEADLINE = timedelta(seconds=5)
"""For workers whose supervisor is gone, and which write down what they still know."""


async def write(orders: Orders) -> None:
    # Workers that finish still need it: it goes when they are gone.
    ignore_signals()
    settings = orders.settings
    database = SqliteDatabase(orders.data / DATABASE_FILE, synchronous=settings.synchronous)
    stopping = asyncio.Event()
    follow_orders(stop=stopping.set)
    try:
        writer = SqliteWriter(database)
        [listening] = [socket.socket(fileno=each) for each in orders.sockets]
        await writer.listen(listening)
        report_ready()
        await stopping.wait()
        await writer.finish(timedelta(seconds=settings.stop_deadline) + _LEFT_AFTER_DEADLINE)
    finally:
        await database.close()


if __name__ == "__main__":
    carry_out(write)
