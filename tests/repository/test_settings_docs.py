"""docs/reference/settings.md holds every setting as the program declares it."""

from tests.support.requirements import PROJECT
from watchword.cli.settings_list import markdown_table


def test_table_is_what_the_command_prints() -> None:
    page = (PROJECT / "docs/reference/settings.md").read_text(encoding="utf-8")
    table = "\n".join(line for line in page.splitlines() if line.startswith("|"))
    assert table == markdown_table(), "run: watchword settings --markdown"
