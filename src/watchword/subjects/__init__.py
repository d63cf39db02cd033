"""Whom tokens speak for: whether an identity, or an exchanged user, is there, and which of its tokens are live."""
