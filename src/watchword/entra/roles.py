"""Who of an OpenID provider may manage a resource, or the server.

One role is enough for the data plane: whoever may call at all may call everything that an access key may. A role that
is removed takes the calls away at once; tokens that were issued on such calls live on, as they do in the original when
the caller's role goes. On the management API the roles are those of operators.
"""

from __future__ import annotations

import re

from watchword.errors import OperatorError

CONTRIBUTOR = "contributor"
READER = "reader"
MANAGEMENT_ROLES = (READER, CONTRIBUTOR)

_PRINCIPAL = re.compile(r"[\x21-\x7e]{1,256}", re.ASCII)


def read_principal(text: str) -> str:
    """The object or application id as it is compared: Entra ID's are guids, those of other providers may be any word.

    Raises:
        OperatorError: nothing that a provider could have given.
    """
    if not _PRINCIPAL.fullmatch(text):
        raise OperatorError(
            "A principal is an object id or an application id: one word of up to 256 characters.",
            "Copy it from the provider: in Entra ID the Object ID under Enterprise applications, or the client id.",
        )
    return text.lower()
