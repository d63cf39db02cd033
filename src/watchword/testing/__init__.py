"""Serves tests, ours and our users': a running server and a movable clock.

with running_server() as server:
    client = IdentityClient.from_connection_string(server.connection_string, verify=server.ca_file)
"""

from watchword.testing.clock import MovableClock
from watchword.testing.server import RunningServer, running_server

__all__ = ["MovableClock", "RunningServer", "running_server"]
