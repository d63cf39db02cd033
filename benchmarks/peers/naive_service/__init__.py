"""The service that a good developer writes in a week: the same API, on FastAPI, pydantic, SQLAlchemy and PyJWT.

It is what Watchword is measured against, so it is written to be fast where that costs nothing: WAL, a pool, uvloop, the
key loaded once. It runs in an environment of its own, `.venv-bench`, and imports nothing of Watchword.
"""
