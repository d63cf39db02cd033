"""What happened, in order: appended by the transaction that causes it, followed, forgotten after an hour.

It knows no business: what an entry means, whoever appends it and whoever follows know between them.
"""
