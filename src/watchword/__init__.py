"""Watchword: a self-hosted stand-in for Azure Communication Services, its identities and access tokens."""
