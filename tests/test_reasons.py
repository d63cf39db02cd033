"""What the system said, in words."""

from __future__ import annotations

import errno
import os
import ssl

import pytest

from watchword.errors import reason_of


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED)), "Connection refused"),
        (OSError("[Errno -2] Name or service not known"), "Name or service not known"),
        (
            ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1016)"),
            "wrong version number",
        ),
        (FileNotFoundError(errno.ENOENT, "No such file or directory", "key"), "No such file or directory: 'key'"),
        (TimeoutError(), "TimeoutError"),
    ],
)
def test_a_reason_has_no_numbers_of_the_system(error: BaseException, told: str) -> None:
    assert reason_of(error) == told
