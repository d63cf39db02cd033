"""One error of each kind, and of each of its wordings, that a caller can be told."""

from datetime import timedelta

from watchword import errors
from watchword.errors import CallerError, Unavailable

SAMPLES: list[CallerError | Unavailable] = [
    errors.NotAuthenticated("The Authorization header is missing."),
    errors.NotAllowed(),
    errors.IdentityNotOwned(),
    errors.IdentityNotFound(),
    errors.MalformedIdentity(),
    errors.MalformedBody("Expected `array`, got `int`", "scopes"),
    errors.MalformedBody("Input data was truncated"),
    errors.MissingField("scopes"),
    errors.NoScopes(),
    errors.UnknownScope("chat.all", "scopes", ("chat", "voip")),
    errors.InvalidLifetime(59, 60, 1440),
    errors.InvalidCustomId(257, 256),
    errors.InvalidQuery("maxPageSize", "It must be a whole number."),
    errors.UnsupportedApiVersion("https://localhost/identities", "2099-01-01", ("2021-03-07", "2023-10-01")),
    errors.MissingApiVersion(("2021-03-07", "2023-10-01")),
    errors.UnknownPath("/nowhere"),
    errors.MethodNotAllowed("PUT", ("GET", "POST")),
    errors.TooLarge("body", 65_536),
    errors.TooLarge("head", 32_768),
    errors.TooSlow("body", timedelta(seconds=20)),
    errors.NotServed("TeamsExtensionToken_Exchange", "It is not part of this release."),
    errors.UnknownOperator("The operator's token is unknown, or was deleted."),
    errors.OperatorNotAllowed(),
    errors.GroupNotFound("contoso"),
    errors.ResourceNotFound("chat", "contoso"),
    errors.ResourceNotFound("chat"),
    errors.OperationNotFound(),
    errors.BeingDeleted("resource group", "contoso"),
    errors.BeingDeleted("resource", "chat"),
    errors.NameTaken("chat"),
    errors.InvalidName("resource group", "It has 1 to 90 letters."),
    errors.InvalidName("resource", "It has 1 to 63 letters."),
    errors.InvalidProperty("properties.dataLocation", "It is chosen once."),
    errors.TooManyResources(64),
    errors.KeyTaken(),
    Unavailable(timedelta(seconds=2)),
]
