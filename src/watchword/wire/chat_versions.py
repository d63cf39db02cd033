"""The api-versions of the Chat API, oldest first, and what each of them shows.

What one version wrote another one does not show, and does not lose.

Source: chat.md section 1; the published document of each version, which a test reads.
"""

from __future__ import annotations

from watchword.wire.versions import Series

V2021_03_07 = "2021-03-07"
V2021_04_05_PREVIEW6 = "2021-04-05-preview6"
V2021_09_07 = "2021-09-07"
V2023_04_01_PREVIEW = "2023-04-01-preview"
V2023_07_01_PREVIEW = "2023-07-01-preview"
V2023_11_07 = "2023-11-07"
V2023_11_15_PREVIEW = "2023-11-15-preview"
V2024_03_01_PREVIEW = "2024-03-01-preview"
V2024_03_07 = "2024-03-07"
V2024_03_15_PREVIEW = "2024-03-15-preview"
V2024_06_05_PREVIEW = "2024-06-05-preview"
V2025_03_15 = "2025-03-15"

ALL = Series(
    (
        V2021_03_07,
        V2021_04_05_PREVIEW6,
        V2021_09_07,
        V2023_04_01_PREVIEW,
        V2023_07_01_PREVIEW,
        V2023_11_07,
        V2023_11_15_PREVIEW,
        V2024_03_01_PREVIEW,
        V2024_03_07,
        V2024_03_15_PREVIEW,
        V2024_06_05_PREVIEW,
        V2025_03_15,
    )
)

MESSAGE_METADATA = ALL.since(V2021_04_05_PREVIEW6)
"""Metadata of messages."""

TYPING_NAMES = ALL.since(V2021_04_05_PREVIEW6)
"""The name of who types: before, that operation has no body."""

ATTACHMENTS = ALL.since(V2023_04_01_PREVIEW)
"""The list of a message's attachments, which is always empty here."""

METADATA = ALL.only(
    V2023_07_01_PREVIEW,
    V2023_11_15_PREVIEW,
    V2024_03_01_PREVIEW,
    V2024_03_15_PREVIEW,
    V2024_06_05_PREVIEW,
    V2025_03_15,
)
"""Metadata of threads and of participants."""

RETENTION = ALL.since(V2024_03_15_PREVIEW)
"""The retention policy of a thread."""

IMAGES = ALL.only(V2024_03_15_PREVIEW, V2024_06_05_PREVIEW)
"""Uploads of images, which are not served; and attachments in what is sent."""

MESSAGING_POLICY = ALL.only(V2024_06_05_PREVIEW)
"""Whether a thread takes text alone."""
