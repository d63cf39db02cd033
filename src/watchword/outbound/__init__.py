"""Calls to addresses that a caller or a resource names: which may be called, and what is believed of them.

An address is read once, resolved and checked at each attempt, and called at the very address that was checked.
"""
