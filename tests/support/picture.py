"""Draws docs/architecture.svg: the house as its imports are. `make docs-picture` writes it, and a test draws it anew.

The floors are those of `pyproject.toml`, and what a room says of itself are the words of docs/architecture.md. An arrow
that others make needless, as one may come there through them, is left out: 30 rooms have too many for a reader.
"""

from __future__ import annotations

import re
import textwrap
import tomllib
from dataclasses import dataclass, field
from html import escape
from itertools import pairwise

import grimp

from tests.support.requirements import PROJECT

PICTURE = PROJECT / "docs/architecture.svg"

_ROOM, _LANE, _GAP = 204, 8, 22
_HEIGHT, _FLOOR, _TOP, _MARGIN = 68, 112, 84, 30
_LINE_LENGTH, _MOST_LINES = 35, 3
_SWEEPS = 24

_STYLE = """\
  text { font-family: system-ui, sans-serif; fill: #1f2933; text-anchor: middle }
  .title { font-size: 20px; font-weight: 600; text-anchor: start }
  .note { font-size: 12px; text-anchor: start; fill: #52606d }
  .name { font-size: 14px; font-weight: 600 }
  .what { font-size: 10.5px; fill: #52606d }
  .floor { fill: #f5f7fa }
  .room { fill: #ffffff; stroke: #7b8794 }
  .arrow { fill: none; stroke: #829ab1; stroke-width: 1.2 }
"""

_NOTE = (
    "Each floor stands on those below it. An arrow is left out where others lead there too. "
    "Drawn from the imports by `make docs-picture`."
)
_HEAD = (
    '<defs><marker id="head" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
    '<path d="M0 0 8 4 0 8z" fill="#829ab1"/></marker></defs>'
)


@dataclass(eq=False)
class Place:
    """A room on its floor; without a name it is where an arrow passes that floor."""

    floor: int
    name: str = ""
    x: float = 0.0
    above: list[Place] = field(default_factory=list)
    below: list[Place] = field(default_factory=list)

    @property
    def width(self) -> int:
        return _ROOM if self.name else _LANE


def floors() -> list[list[str]]:
    """The names of every floor, the highest first; those that the contract allows to be missing are left out then."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    layers = project["tool"]["importlinter"]["contracts"][0]["layers"]
    there = {path.stem for path in (PROJECT / "src/watchword").iterdir() if path.suffix == ".py" or path.is_dir()}
    named = [[name.strip(" ()") for name in layer.split("|")] for layer in layers]
    return [found for floor in named if (found := [name for name in floor if name in there])]


def imports(names: list[str]) -> dict[str, set[str]]:
    """Which room imports which, in any of its modules."""
    graph = grimp.build_graph("watchword", cache_dir=None)
    found: dict[str, set[str]] = {name: set() for name in names}
    for module in sorted(graph.modules):
        room = _room(module)
        if room in found:
            imported = {_room(each) for each in graph.find_modules_directly_imported_by(module)}
            found[room] |= imported.intersection(names) - {room}
    return found


def needed(arrows: dict[str, set[str]]) -> dict[str, set[str]]:
    """Without the arrows to where others lead as well."""

    def reached(name: str) -> set[str]:
        return arrows[name].union(*(reached(each) for each in arrows[name]))

    return {name: to - set().union(*(reached(each) for each in to)) for name, to in arrows.items()}


def draw() -> str:
    rows, rooms = _rows()
    _arrange(rows)
    left = min(place.x - place.width / 2 for row in rows for place in row)
    for row in rows:
        for place in row:
            place.x = round(place.x - left + _MARGIN, 1)
    width = max(place.x + place.width / 2 for row in rows for place in row) + _MARGIN
    height = _TOP + len(rows) * _FLOOR + 6
    words = _words()
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" width="{width:.0f}">',
        f"<title>Who imports whom in src/watchword</title>\n<style>\n{_STYLE}</style>",
        _HEAD,
        '<rect width="100%" height="100%" fill="#ffffff"/>',
        f'<text class="title" x="{_MARGIN}" y="36">Who imports whom in src/watchword</text>',
        f'<text class="note" x="{_MARGIN}" y="58">{_NOTE}</text>',
        *(
            f'<rect class="floor" x="8" y="{_TOP + floor * _FLOOR}" width="{width - 16:.0f}" height="{_HEIGHT + 20}"/>'
            for floor in range(len(rows))
        ),
        *(_arrow([room, *way]) for room in rooms for way in _ways(room)),
        *(_box(room, words.get(room.name, "")) for room in rooms),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _room(module: str) -> str:
    return module.removeprefix("watchword.").partition(".")[0]


def _rows() -> tuple[list[list[Place]], list[Place]]:
    """Every floor with its rooms and with the places where arrows pass it; and the rooms alone."""
    named = floors()
    rows = [[Place(number, name) for name in floor] for number, floor in enumerate(named)]
    rooms = {place.name: place for row in rows for place in row}
    for name, to in needed(imports([*rooms])).items():
        for target in sorted(to):
            last = rooms[name]
            for number in range(last.floor + 1, rooms[target].floor):
                passing = Place(number)
                rows[number].append(passing)
                _join(last, passing)
                last = passing
            _join(last, rooms[target])
    return rows, list(rooms.values())


def _join(upper: Place, lower: Place) -> None:
    upper.below.append(lower)
    lower.above.append(upper)


def _arrange(rows: list[list[Place]]) -> None:
    """Moves everything close to what it is joined with: first downward, then upward, until it hardly moves."""
    for row in rows:
        _spread(row, [0.0] * len(row))
    for sweep in range(_SWEEPS):
        downward = sweep % 2 == 0
        for row in rows if downward else reversed(rows):
            wanted = {place: _middle(place, place.above if downward else place.below) for place in row}
            if sweep < _SWEEPS - 6:
                row.sort(key=lambda place: wanted[place])
            _spread(row, [_middle(place, place.above + place.below) for place in row])


def _middle(place: Place, joined: list[Place]) -> float:
    return sum(each.x for each in joined) / len(joined) if joined else place.x


def _spread(row: list[Place], wanted: list[float]) -> None:
    """As close to where each wants to be as their widths allow, in their order."""
    steps = [0.0]
    for left, right in pairwise(row):
        steps.append(steps[-1] + (left.width + right.width) / 2 + _GAP)
    # Without the widths it is the sequence that never falls and lies closest: neighbours that fall share their mean.
    blocks: list[tuple[float, int]] = []
    for want, step in zip(wanted, steps, strict=True):
        total, count = want - step, 1
        while blocks and blocks[-1][0] / blocks[-1][1] >= total / count:
            earlier = blocks.pop()
            total, count = total + earlier[0], count + earlier[1]
        blocks.append((total, count))
    levels = [total / count for total, count in blocks for _ in range(count)]
    for place, level, step in zip(row, levels, steps, strict=True):
        place.x = level + step


def _ways(room: Place) -> list[list[Place]]:
    """The places through which each arrow of a room goes, and the room at its end."""
    found = []
    for place in room.below:
        way = [place]
        while not way[-1].name:
            way.append(way[-1].below[0])
        found.append(way)
    return found


def _arrow(way: list[Place]) -> str:
    tops = [_TOP + place.floor * _FLOOR + 10 for place in way]
    x, y = way[0].x, tops[0] + _HEIGHT
    path = f"M{x:.1f} {y}"
    for place, top in zip(way[1:], tops[1:], strict=True):
        bend = (top - y) / 2
        path += f" C{x:.1f} {y + bend:.0f} {place.x:.1f} {top - bend:.0f} {place.x:.1f} {top}"
        x, y = place.x, top
        if not place.name:
            y += _HEIGHT
            path += f" V{y}"
    return f'<path class="arrow" d="{path}" marker-end="url(#head)"/>'


def _words() -> dict[str, str]:
    """What docs/architecture.md says of each room in its tree."""
    page = (PROJECT / "docs/architecture.md").read_text(encoding="utf-8")
    return dict(re.findall(r"^    (\w+?)(?:\.py|/)  +(\S.*)$", page, re.MULTILINE))


def _box(room: Place, words: str) -> str:
    top = _TOP + room.floor * _FLOOR + 10
    lines = textwrap.wrap(words.replace("`", ""), _LINE_LENGTH, max_lines=_MOST_LINES, placeholder=" …")
    parts = [
        f'<rect class="room" x="{room.x - _ROOM / 2:.1f}" y="{top}" width="{_ROOM}" height="{_HEIGHT}" rx="5"/>',
        f'<text class="name" x="{room.x:.1f}" y="{top + 19}">{room.name}</text>',
        *(
            f'<text class="what" x="{room.x:.1f}" y="{top + 34 + 13 * number}">{escape(line)}</text>'
            for number, line in enumerate(lines)
        ),
    ]
    return "\n".join(parts)


if __name__ == "__main__":
    PICTURE.write_text(draw(), encoding="utf-8")
