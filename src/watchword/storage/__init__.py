"""Where rows live: the database, its schema and migrations, and the coalescer that joins what arrives together.

It knows no identity and no token; the statements live in the stores of those who own the rows.
"""

from watchword.storage.database import Database, Lock, Row, Snapshot, Statement, Transaction

__all__ = ["Database", "Lock", "Row", "Snapshot", "Statement", "Transaction"]
