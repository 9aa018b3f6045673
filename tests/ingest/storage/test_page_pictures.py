"""The cache of page pictures: what is drawn once, what goes, and what never stays."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from ingest.readers.pdf.picture import PagePicture, PictureOrder
from ingest.storage.page_pictures import Commission, PagePictures
from rag.errors import NotFoundError, UnavailableError, UnreadableError

PNG = b"\x89PNG" + b"." * 1000 + b"IEND\xaeB`\x82"


class PageRenderer:
    """Draws the same picture always, and counts."""

    def __init__(self) -> None:
        self.orders: list[PictureOrder] = []
        self.before = lambda: None
        self.closed = False

    def draw(self, path: Path, order: PictureOrder, *, password: str | None = None) -> PagePicture:
        self.orders.append(order)
        self.before()
        if order.number == 13:
            raise UnreadableError("It crashed.", code="reader_crashed")
        return PagePicture(PNG, 5, 4)

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def artist() -> PageRenderer:
    return PageRenderer()


@pytest.fixture
def pictures(tmp_path: Path, artist: PageRenderer) -> PagePictures:
    (tmp_path / "content").mkdir()
    for name in ("one", "two"):
        (tmp_path / "content" / name).write_bytes(b"%PDF-")
    return PagePictures(tmp_path / "pictures", artist, lambda name: tmp_path / "content" / name, max_bytes=5000)


def of(pictures: PagePictures, document: str = "one", number: int = 1, **rest: int) -> Commission:
    return pictures.commission(document, "ab" * 32, number=number, **{"width": 100, **rest})  # type: ignore[arg-type]


def test_drawn_once(pictures: PagePictures, artist: PageRenderer) -> None:
    assert pictures.draw(of(pictures)) == pictures.draw(of(pictures)) == PagePicture(PNG, 5, 4)
    assert len(artist.orders) == 1


def test_the_tag_names_everything(pictures: PagePictures) -> None:
    base = {"number": 1, "width": 100, "text": "abc", "start": 0, "end": 1}
    others = [{"number": 2}, {"width": 101}, {"text": "abd"}, {"start": 1, "end": 2}, {"end": 2}]
    tags = {pictures.commission("one", "ab", **{**base, **other}).tag for other in [{}, *others]}  # type: ignore[arg-type]
    assert len(tags | {pictures.commission("one", "cd", **base).tag}) == 7  # type: ignore[arg-type]


def test_a_cut_off_file_is_drawn_anew(pictures: PagePictures, artist: PageRenderer, tmp_path: Path) -> None:
    pictures.draw(of(pictures))
    (kept,) = (tmp_path / "pictures" / "one").iterdir()
    kept.write_bytes(PNG[:500])
    assert pictures.draw(of(pictures)).png == PNG
    assert kept.read_bytes() == PNG
    assert len(artist.orders) == 2


def test_the_oldest_go_when_it_is_full(pictures: PagePictures, artist: PageRenderer, tmp_path: Path) -> None:
    for number in range(1, 9):
        pictures.draw(of(pictures, number=number))
    kept = list((tmp_path / "pictures").glob("*/*.png"))
    assert 3 <= len(kept) <= 4
    pictures.draw(of(pictures, number=8))
    assert len(artist.orders) == 8


def test_a_failure_is_remembered(pictures: PagePictures, artist: PageRenderer) -> None:
    for _ in range(3):
        with pytest.raises(UnreadableError, match="crashed") as caught:
            pictures.draw(of(pictures, number=13))
        assert caught.value.code == "reader_crashed"
    assert len(artist.orders) == 1


def test_forgotten(pictures: PagePictures, artist: PageRenderer, tmp_path: Path) -> None:
    pictures.draw(of(pictures))
    pictures.draw(of(pictures, "two"))
    (tmp_path / "content" / "one").unlink()
    pictures.forget("one")
    pictures.forget("never there")
    assert [path.parent.name for path in (tmp_path / "pictures").glob("*/*")] == ["two"]
    with pytest.raises(NotFoundError):
        pictures.draw(of(pictures))


def test_deleted_while_it_is_drawn(pictures: PagePictures, artist: PageRenderer, tmp_path: Path) -> None:
    artist.before = lambda: (tmp_path / "content" / "one").unlink()  # type: ignore[assignment, return-value]
    assert pictures.draw(of(pictures)).png == PNG
    assert not list((tmp_path / "pictures").glob("**/*.*"))


def test_strays(pictures: PagePictures, tmp_path: Path) -> None:
    pictures.drop_orphans({"one"})  # before there is a folder
    pictures.draw(of(pictures))
    pictures.draw(of(pictures, "two"))
    (tmp_path / "pictures" / "one" / "x.part").write_bytes(b"cut")
    pictures.drop_orphans({"one"})
    left = list((tmp_path / "pictures").glob("*/*"))
    assert [path.parent.name for path in left] == ["one"]
    assert left[0].suffix == ".png"


def test_a_full_disk_costs_the_cache_only(
    pictures: PagePictures, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    assert pictures.draw(of(pictures)).png == PNG
    assert not list((tmp_path / "pictures").glob("*/*"))


def test_nobody_waits_for_ever(pictures: PagePictures, artist: PageRenderer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.storage.page_pictures._PATIENCE", 0.05)
    begun, end = threading.Event(), threading.Event()

    def wait() -> None:
        begun.set()
        end.wait(10)

    artist.before = wait
    thread = threading.Thread(target=pictures.draw, args=(of(pictures),))
    thread.start()
    begun.wait(10)
    with pytest.raises(UnavailableError, match="Other pages"):
        pictures.draw(of(pictures, "two"))
    end.set()
    thread.join()
    pictures.close()
    assert artist.closed
