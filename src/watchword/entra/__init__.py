"""Callers and users of an OpenID provider, such as Entra ID: whose tokens count, who has a role, what is exchanged."""
