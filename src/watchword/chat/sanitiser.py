"""What is left of the HTML of a message: an allow-list, for the official UI library puts it into the page as it comes.

Source: chat.md sections 5.1 and 8.7. Elements that lay out and mark up text, links and images; no style, no class,
no id, no data of any kind, nothing that runs, submits, frames or refreshes. What is not on the list loses its
tags and keeps its text; of scripts and styles nothing is left.
"""

from __future__ import annotations

import nh3

ELEMENTS = frozenset(
    {
        *(
            "a",
            "abbr",
            "b",
            "cite",
            "code",
            "del",
            "dfn",
            "em",
            "i",
            "ins",
            "kbd",
            "mark",
            "q",
            "s",
            "samp",
            "small",
            "span",
            "strike",
            "strong",
            "sub",
            "sup",
            "tt",
            "u",
            "var",
        ),  # Text.
        *(
            "blockquote",
            "br",
            "details",
            "div",
            "figcaption",
            "figure",
            "h1",
            "h2",
            "h3",
            "h4",
            "h5",
            "h6",
            "hr",
            "p",
            "pre",
            "summary",
            "wbr",
        ),  # Blocks.
        *(
            "caption",
            "col",
            "colgroup",
            "dd",
            "dl",
            "dt",
            "li",
            "ol",
            "table",
            "tbody",
            "td",
            "tfoot",
            "th",
            "thead",
            "tr",
            "ul",
        ),  # Lists and tables.
        *("img", "rp", "rt", "ruby"),  # Images and ruby.
    }
)
"""Assumed: these elements of a message's HTML are kept; the list of the original is not published."""

ATTRIBUTES = {
    "*": frozenset({"dir", "lang", "title"}),
    "a": frozenset({"href"}),
    "img": frozenset({"src", "alt", "width", "height"}),
    "ol": frozenset({"start", "type"}),
    "td": frozenset({"colspan", "rowspan"}),
    "th": frozenset({"colspan", "rowspan", "scope"}),
}
"""Of any element, and of some; `rel` of links is set by the sanitiser."""

URL_SCHEMES = frozenset({"http", "https", "mailto"})
"""Source: chat.md section 5.1. An address without one of them is left out, a relative one too."""

_cleaner = nh3.Cleaner(
    tags=set(ELEMENTS),
    attributes={name: set(allowed) for name, allowed in ATTRIBUTES.items()},
    clean_content_tags={"script", "style"},
    url_schemes=set(URL_SCHEMES),
    url_relative="deny",
    link_rel="noopener noreferrer",
    strip_comments=True,
)


def sanitise_html(text: str) -> str:
    """What may be put into a page; already sanitised text comes out as it was."""
    return str(_cleaner.clean(text))
