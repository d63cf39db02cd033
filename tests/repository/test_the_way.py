"""The ways that docs/architecture.md tells are the code's: their files are there, and import in that order."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

import grimp
import pytest

from tests.support.requirements import PROJECT

PAGE = (PROJECT / "docs/architecture.md").read_text(encoding="utf-8")
WAYS = ("The way of one request", "The way of a chat message")
STEP = re.compile(r"^ *(\d+)  (\S+\.py) +(?:through ([^:]+): )?(\S.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the way; `through` are the files that hand it to the step before, the highest first."""

    number: int
    file: str
    through: tuple[str, ...]


def steps(title: str) -> list[Step]:
    section = PAGE.partition(f"## {title}\n")[2].partition("\n## ")[0]
    return [
        Step(int(number), file, tuple(re.findall(r"[\w/]+\.py", through)))
        for number, file, through, _ in STEP.findall(section)
    ]


def module(file: str) -> str:
    return "watchword." + file.removesuffix(".py").replace("/", ".")


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("watchword", cache_dir=None)


def wrong_steps(way: list[Step], graph: grimp.ImportGraph) -> list[str]:
    """What is wrong with it, in words; nothing where each file leads to the next one."""

    def imports(importer: str, imported: str) -> bool:
        return graph.direct_import_exists(importer=module(importer), imported=module(imported))

    wrong, known, run = [], [way[0].file], [way[0].file]
    for before, step in pairwise(way):
        chain = [*step.through, step.file]
        if not step.through and not imports(before.file, step.file):
            wrong.append(f"{before.file} does not import {step.file}")
        if step.through and not any(imports(each, chain[0]) or each == chain[0] for each in known):
            wrong.append(f"no file above imports {chain[0]}")
        wrong += [f"{a} does not import {b}" for a, b in pairwise(chain) if not imports(a, b)]
        if step.file in known:
            wrong.append(f"{step.file} was read before")
        run = [] if step.through else run
        wrong += [
            f"{step.file} leads back to {each}"
            for each in run
            if each != step.file and graph.chain_exists(importer=module(step.file), imported=module(each))
        ]
        run.append(step.file)
        known += chain
    return wrong


@pytest.mark.parametrize("title", WAYS)
def test_every_file_of_a_way_is_there_and_numbered(title: str) -> None:
    way = steps(title)
    assert [step.number for step in way] == list(range(1, len(way) + 1))
    assert len(way) > 10
    files = [file for step in way for file in (*step.through, step.file)]
    assert not [file for file in files if not (PROJECT / "src/watchword" / file).is_file()]


@pytest.mark.parametrize("title", WAYS)
def test_every_step_is_imported_by_the_one_before_it_or_by_those_that_hand_it_over(
    title: str, graph: grimp.ImportGraph
) -> None:
    assert wrong_steps(steps(title), graph) == []


def test_a_way_with_a_step_back_up_is_found_out(graph: grimp.ImportGraph) -> None:
    up = [Step(1, "rest/pipeline.py", ()), Step(2, "rest/routes.py", ()), Step(3, "rest/pipeline.py", ())]
    assert wrong_steps(up, graph) == [
        "rest/routes.py does not import rest/pipeline.py",
        "rest/pipeline.py was read before",
        "rest/pipeline.py leads back to rest/routes.py",
    ]
    unknown = [Step(1, "rest/pipeline.py", ()), Step(2, "identity/operations.py", ("identity/opening.py",))]
    assert wrong_steps(unknown, graph) == ["no file above imports identity/opening.py"]
