"""The trusted certificates of a Java key store of the old JKS form, which nothing but Java reads otherwise.

    magic FEEDFEED | version 2 | number of entries
    an entry:  2 | alias | time (8 bytes) | certificate                     a trusted certificate
               1 | alias | time (8 bytes) | key | number | certificates     a private key and its chain; skipped
    certificate:  type ("X.509") | length (4 bytes) | DER
    at the end 20 bytes of a digest under the password

    An alias and a type are a length of 2 bytes and that many bytes; numbers are 4 bytes, big-endian.

The digest is not checked: Java doesn't either when no password is given, and the file is the user's own.
"""

from io import BytesIO

_MAGIC = b"\xfe\xed\xfe\xed"
_PRIVATE_KEY, _TRUSTED_CERTIFICATE = 1, 2


def is_jks(content: bytes) -> bool:
    return content.startswith(_MAGIC)


def read_jks(content: bytes) -> list[bytes]:
    """The certificates of all entries that are there to be trusted.

    Raises:
        ValueError: it is cut short, or of an unknown version.
    """
    reader = _Reader(content)
    _, version, entries = reader.number(), reader.number(), reader.number()
    if version != 2:
        raise ValueError(f"version {version} of the JKS form is unknown")
    certificates = []
    for _ in range(entries):
        kind = reader.number()
        reader.text()
        reader.take(8)
        if kind == _TRUSTED_CERTIFICATE:
            certificates.append(reader.certificate())
        elif kind == _PRIVATE_KEY:
            reader.take(reader.number())
            for _ in range(reader.number()):
                reader.certificate()
        else:
            raise ValueError(f"an entry of kind {kind} is unknown")
    return certificates


class _Reader:
    def __init__(self, content: bytes) -> None:
        self._file = BytesIO(content)

    def take(self, length_bytes: int) -> bytes:
        taken = self._file.read(length_bytes)
        if len(taken) != length_bytes:
            raise ValueError("it is cut short")
        return taken

    def number(self) -> int:
        return int.from_bytes(self.take(4), "big")

    def text(self) -> bytes:
        length_bytes = int.from_bytes(self.take(2), "big")
        return self.take(length_bytes)

    def certificate(self) -> bytes:
        self.text()
        return self.take(self.number())
