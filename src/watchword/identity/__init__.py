"""The identity service: identities and the access tokens that are issued to them."""
