"""The keys that sign tokens, and the key that encrypts secrets at rest."""
