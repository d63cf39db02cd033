"""Chat: threads, their participants and messages, read receipts, who hears that somebody types, and retention.

`operations.py` alone speaks Azure's wire, whose words are in `wire/chat*.py`. What happened is told to `journal/`, in
the transaction in which it happens; who is connected is for `realtime/` to know.
"""
