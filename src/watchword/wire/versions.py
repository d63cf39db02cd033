"""A series of api-versions, and that of the Identity API.

Source: identity.md section 1.2 and table (a); the published documents of each version.
"""

from __future__ import annotations

V2020_07_20_PREVIEW2 = "2020-07-20-preview2"
V2021_02_22_PREVIEW1 = "2021-02-22-preview1"
V2021_03_07 = "2021-03-07"
V2021_10_31_PREVIEW = "2021-10-31-preview"
V2022_06_01 = "2022-06-01"
V2022_10_01 = "2022-10-01"
V2023_10_01 = "2023-10-01"
V2025_03_02_PREVIEW = "2025-03-02-preview"
V2025_06_30 = "2025-06-30"
V2026_07_22 = "2026-07-22"
V2026_09_23 = "2026-09-23"


class Series(tuple[str, ...]):
    """Some or all of the api-versions of one API, oldest first."""

    __slots__ = ()

    def since(self, first: str) -> Series:
        """That version and all newer ones."""
        return Series(self[self.index(first) :])

    def between(self, first: str, last: str) -> Series:
        """All from the first to the last, both included."""
        return Series(self[self.index(first) : self.index(last) + 1])

    def only(self, *versions: str) -> Series:
        """These alone, in the order of the series.

        Raises:
            ValueError: one of them is none of the series.
        """
        return Series(self[place] for place in sorted(map(self.index, versions)))

    def without(self, others: Series) -> Series:
        """All but the others."""
        return Series(version for version in self if version not in others)


ALL = Series(
    (
        V2020_07_20_PREVIEW2,
        V2021_02_22_PREVIEW1,
        V2021_03_07,
        V2021_10_31_PREVIEW,
        V2022_06_01,
        V2022_10_01,
        V2023_10_01,
        V2025_03_02_PREVIEW,
        V2025_06_30,
        V2026_07_22,
        V2026_09_23,
    )
)
"""Every api-version that this server answers to."""

ANY = Series(("any",))
"""Of published operations that answer to every api-version, and to none: those of resource groups."""
