"""docs/architecture.svg is what the imports and the words of docs/architecture.md make of it now."""

from tests.support.picture import PICTURE, draw, floors, needed


def test_picture_is_drawn_from_the_imports_as_they_are() -> None:
    assert PICTURE.read_text(encoding="utf-8") == draw(), "run: make docs-picture"


def test_picture_shows_every_room() -> None:
    drawn = PICTURE.read_text(encoding="utf-8")
    assert not [name for floor in floors() for name in floor if f">{name}</text>" not in drawn]


def test_only_arrows_that_no_other_way_replaces_are_drawn() -> None:
    arrows = {"roof": {"floor", "ground"}, "floor": {"ground"}, "cellar": set[str](), "ground": {"cellar"}}
    assert needed(arrows) == {"roof": {"floor"}, "floor": {"ground"}, "cellar": set(), "ground": {"cellar"}}
