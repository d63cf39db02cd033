"""The worker under the name by which supervisors of releases before 0.3 start it.

Such a supervisor goes on while the package is replaced under it, and a reload then starts what is installed.
"""

from __future__ import annotations

from watchword.server.orders import carry_out
from watchword.server.worker import work

if __name__ == "__main__":
    carry_out(work)
