"""What the order of locks is asked of realtime: two registrations, named twice and in the wrong order."""

from __future__ import annotations

REGISTRATION_ROWS = ["registrations number = 1", "registrations number = 2"]
CONNECTING = [
    {
        "resource": 1,
        "subject": subject,
        "epid": "e",
        "epoch": "e",
        "oldest": 0,
        "ticket": bytes([place]) * 16,
        "expires": 10**13,
        "number": number,
        "claim": 1,
        "position": 1,
        "ahead": "",
        "stuck": 0,
        "tries": 0,
        "moved": f'[[{number}, 1, "e", 1, ""], [{3 - number}, 1, "e", 1, ""]]',
        "now": 5,
    }
    for place, (number, subject) in enumerate(((2, "a"), (1, "B"), (2, "a")))
]
