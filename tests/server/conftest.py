"""Homes for the command line's tests, and one server for those that only need some server."""

from tests.support.homes import home, shared_home, shared_server

__all__ = ["home", "shared_home", "shared_server"]
