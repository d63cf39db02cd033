"""Watchword's tests: folders mirror src/watchword, beside sdk/ (official clients) and repository/ (our own rules)."""
