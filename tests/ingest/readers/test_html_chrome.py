"""What of an HTML page is content: banners and menus go, whatever tells them, and never the article."""

from __future__ import annotations

import pytest

from tests.ingest.conftest import Write
from tests.ingest.readers.builders import read

ARTICLE = (
    "<h1>Leave</h1><p>Every employee has fifteen days of annual leave, which may be taken at any time of the year.</p>"
)
EXPECTED = "Leave\n\nEvery employee has fifteen days of annual leave, which may be taken at any time of the year."


@pytest.mark.parametrize(
    "chrome",
    [
        '<div class="cookie-banner">We use cookies.</div>',
        '<div id="sidebar"><ul><li>Home</li></ul></div>',
        '<ul class="nav main"><li>Home</li></ul>',
        '<div class="breadcrumbs">Home / Leave</div>',
        '<nav><a href="/">Home</a></nav>',
        '<div role="banner">Contoso</div>',
        '<div role="dialog">Subscribe</div>',
        "<script>var x = 1</script><style>p {}</style><noscript>on</noscript>",
        '<footer>Imprint</footer><a class="skip-link" style="display:none">Skip</a>',
    ],
)
def test_chrome_goes(write: Write, chrome: str) -> None:
    assert read(write("a.html", f"<body>{chrome}{ARTICLE}</body>".encode())).text == EXPECTED


@pytest.mark.parametrize(
    "page",
    [
        f'<div class="banner">{ARTICLE}</div>',  # what holds the article is none
        f'<div class="main with-sidebar">{ARTICLE}</div>',
        f"<nav>{ARTICLE}</nav>",  # and what is all there is, neither
        f'<body class="menu-open"><main>{ARTICLE}</main><div>aside</div></body>',
    ],
)
def test_the_article_stays(write: Write, page: str) -> None:
    assert read(write("a.html", page.encode())).text == EXPECTED


def test_words_that_only_begin_like_a_banner_stay(write: Write) -> None:
    page = f'{ARTICLE}<div class="bannerman">Robert</div>'
    assert read(write("a.html", page.encode())).text.endswith("Robert")


@pytest.mark.parametrize("attributes", ['class="footnote-list"', 'class="admonition warning"', 'role="doc-footnote"'])
def test_notes_of_an_article_stay(write: Write, attributes: str) -> None:
    page = f"<main>{ARTICLE}<aside {attributes}>It may not be sold.</aside><aside>Read also this</aside></main>"
    assert read(write("a.html", page.encode())).text == f"{EXPECTED}\n\nIt may not be sold."


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("<math><mi>E</mi><mo>=</mo><mi>m</mi></math>", "E=m"),
        ('<math alttext="E=m"><mi>x</mi></math>', "E=m"),
        (
            '<math><semantics><mi>x</mi><annotation encoding="application/x-tex">E=m</annotation></semantics></math>',
            "E=m",
        ),
    ],
)
def test_formulas(write: Write, formula: str, expected: str) -> None:
    page = f'<p>So {formula}<span class="katex-html">twice</span> holds.</p>'
    assert read(write("a.html", page.encode())).text == f"So {expected} holds."
