"""One server without TLS for all tests of a module, and a client that signs by hand."""

from tests.support.plain_server import client, server

__all__ = ["client", "server"]
