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
