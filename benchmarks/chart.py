"""The chart: what each contender reached per second of its CPU, workload by workload, beside the limits."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from benchmarks.findings import Findings
from benchmarks.lineup import COMPARED
from benchmarks.rounds import Measurement

_BAR, _GAP, _LEFT, _WIDTH, _TITLE = 18, 8, 300, 420, 34
_OURS, _THEIRS = "#3b6ea5", "#a9a9a9"


def draw(findings: Findings) -> str:
    """An SVG with a bar for each contender, and a thin line for its interval."""
    compared = [each for each in findings.lineup.measurements if each.connections == COMPARED and not each.failure]
    scale = _WIDTH / max(each.spread("per_cpu_second").high for each in compared)
    top, lines = 8, list[str]()
    for workload in dict.fromkeys(each.workload.name for each in compared):
        lines.append(f'<text x="{_LEFT}" y="{top + 20}" font-weight="bold">{escape(workload)}, per CPU-second</text>')
        top += _TITLE
        for each in compared:
            if each.workload.name == workload:
                lines += _bar(findings, each, top, scale)
                top += _BAR + _GAP
    body = "\n".join(lines)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_LEFT + _WIDTH + 180}" height="{top + 8}" '
        f'font-family="sans-serif" font-size="12">\n<rect width="100%" height="100%" fill="white"/>\n{body}\n</svg>\n'
    )


def _bar(findings: Findings, measurement: Measurement, top: int, scale: float) -> Iterator[str]:
    spread, of_limit = measurement.spread("per_cpu_second"), findings.of_limit(measurement)
    middle, end = top + _BAR / 2, _LEFT + spread.median * scale
    low, high = _LEFT + spread.low * scale, _LEFT + spread.high * scale
    colour = _OURS if measurement.contender.name.startswith("Watchword") else _THEIRS
    yield f'<text x="{_LEFT - 8}" y="{middle + 4}" text-anchor="end">{escape(measurement.contender.name)}</text>'
    yield f'<rect x="{_LEFT}" y="{top}" width="{spread.median * scale:.1f}" height="{_BAR}" fill="{colour}"/>'
    yield f'<path d="M{low:.1f} {middle}H{high:.1f}" stroke="#1b2a3a"/>'
    told = f"{spread.median:,.0f}, {of_limit.median:.0%} of the limit"
    yield f'<text x="{max(end, high) + 6:.1f}" y="{middle + 4}">{told}</text>'
