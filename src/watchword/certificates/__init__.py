"""Certificates for TLS: the local authority, the leaves it signs, and the bundles by which clients trust it.

It knows folders and `cryptography`; which folder, which names and what time it is are handed in.
"""

from watchword.certificates.authority import LocalAuthority, Outcome, prepare_authority
from watchword.certificates.facts import CertificateFacts, certificate_facts, may_sign_for
from watchword.certificates.leaf import Leaf, ensure_leaf, issue_leaf

__all__ = [
    "CertificateFacts",
    "Leaf",
    "LocalAuthority",
    "Outcome",
    "certificate_facts",
    "ensure_leaf",
    "issue_leaf",
    "may_sign_for",
    "prepare_authority",
]
