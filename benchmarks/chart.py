"""The chart: what each workload reached per second of the server's CPU, beside the limit for an ES256 issue."""

from __future__ import annotations

from html import escape

from benchmarks.report import Findings

_BAR, _GAP, _LEFT, _WIDTH = 18, 10, 300, 420


def draw(findings: Findings) -> str:
    """An SVG with a bar for each measurement; the thin line in a bar spans its rounds."""
    limit = findings.limits.issue("ES256")
    bars = [(f"{each.name}, {each.connections}", each.spread("per_cpu_second")) for each in findings.measurements]
    scale = _WIDTH / max(limit, *(spread.largest for _, spread in bars))
    lines = []
    for row, (name, spread) in enumerate(bars):
        top = 30 + row * (_BAR + _GAP)
        middle = top + _BAR / 2
        end = _LEFT + spread.median * scale
        low, high = _LEFT + spread.smallest * scale, _LEFT + spread.largest * scale
        lines += [
            f'<text x="{_LEFT - 8}" y="{middle + 4}" text-anchor="end">{escape(name)}</text>',
            f'<rect x="{_LEFT}" y="{top}" width="{spread.median * scale:.1f}" height="{_BAR}" fill="#3b6ea5"/>',
            f'<path d="M{low:.1f} {middle}H{high:.1f}" stroke="#1b2a3a"/>',
            f'<text x="{max(end, high) + 6:.1f}" y="{middle + 4}">{spread.median:,.0f}</text>',
        ]
    height = 40 + len(bars) * (_BAR + _GAP)
    at = _LEFT + limit * scale
    lines += [
        f'<path d="M{at:.1f} 22V{height - 12}" stroke="#b5482a" stroke-dasharray="4 3"/>',
        f'<text x="{at:.1f}" y="15" text-anchor="end" fill="#b5482a">limit for an ES256 issue {limit:,.0f}</text>',
    ]
    body = "\n".join(lines)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_LEFT + _WIDTH + 70}" height="{height}" '
        f'font-family="sans-serif" font-size="12">\n<rect width="100%" height="100%" fill="white"/>\n{body}\n</svg>\n'
    )
