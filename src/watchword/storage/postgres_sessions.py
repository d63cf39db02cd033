"""What every session of ours asks of a PostgreSQL server, behind whatever statement."""

SESSION = {
    "jit": "off",
    # Every hot statement is a handful of look-ups by key; planning for each batch would cost more than running it.
    "plan_cache_mode": "force_generic_plan",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "enable_seqscan": "off",
    # A process that hangs in a transaction, or a machine that is gone, must not keep its locks, nor hold back what
    # waits for every transaction to end. The server takes numbers for milliseconds.
    "idle_in_transaction_session_timeout": "10000",
    "lock_timeout": "10000",
    "tcp_user_timeout": "10000",
}
