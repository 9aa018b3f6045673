"""Archives: what is measured before anything is opened, and what comes out of those that pass."""

from __future__ import annotations

import io
import stat
import zipfile
from pathlib import Path

import pytest

from ingest.readers.archive_limits import ArchiveLimits
from ingest.storage.archives import plan_archive
from rag.errors import UnreadableError
from tests.ingest.conftest import Write, make_zip
from tests.ingest.readers.builders import make_bomb


def content(path: Path) -> dict[str, bytes]:
    found = {}
    for member in plan_archive(path).members:
        buffer = io.BytesIO()
        assert member.copy_to(buffer) == member.size
        found[member.path] = buffer.getvalue()
    return found


def test_members_also_of_an_archive_inside(write: Write) -> None:
    inner = make_zip({"deep/c.txt": b"C" * 5000, "d.txt": b"D"})
    path = write("a.zip", make_zip({"a.txt": b"A", "b/in.zip": inner, "文件.txt": b"Z"}))
    assert content(path) == {
        "a.txt": b"A",
        "b/in.zip/deep/c.txt": b"C" * 5000,
        "b/in.zip/d.txt": b"D",
        "文件.txt": b"Z",
    }


def test_what_is_skipped(write: Write) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        link = zipfile.ZipInfo("link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
        for name in ("../up.txt", "/abs.txt", "C:/x.txt", "a/../../b.txt", "__MACOSX/._a", ".DS_Store", "good.txt"):
            archive.writestr(name, "x")
        archive.writestr("two.zip", make_zip({"three.zip": make_zip({"x": b"x"})}))
        archive.writestr("broken.zip", b"PK\3\4 no")
    plan = plan_archive(write("a.zip", buffer.getvalue()))
    assert [member.path for member in plan.members] == ["good.txt"]
    reasons = dict(plan.skipped)
    assert reasons["link"] == "a link or a device"
    assert (
        reasons["../up.txt"] == reasons["/abs.txt"] == reasons["C:/x.txt"] == reasons["a/../../b.txt"] == "unsafe path"
    )
    assert reasons["two.zip/three.zip"] == "archives nested too deeply"
    assert reasons["broken.zip"] == "damaged"
    assert len(reasons) == 9


def overlapping() -> bytes:
    """A directory whose entries all point at one member's data."""
    one = make_zip({"a": bytes(range(256)) * 100})
    start = one.index(b"PK\x01\x02")
    end = one.index(b"PK\x05\x06")
    entries = one[start:end] * 200
    tail = one[end : end + 8] + (200).to_bytes(2, "little") * 2 + len(entries).to_bytes(4, "little") + one[end + 16 :]
    return one[:start] + entries + tail


@pytest.mark.parametrize(
    ("data", "limits"),
    [
        (make_bomb(20, "zeros"), ArchiveLimits()),
        (make_zip({str(i): b"" for i in range(20)}), ArchiveLimits(members=10)),
        (make_zip({"a": bytes(2000)}), ArchiveLimits(unpacked_bytes=1000)),
        (
            make_zip({"a.zip": make_zip({"b": bytes(800)}), "c.zip": make_zip({"b": bytes(800)})}),
            ArchiveLimits(unpacked_bytes=1200),
        ),
        (
            make_zip({f"{i}.zip": make_zip({str(j): b"" for j in range(4)}) for i in range(4)}),
            ArchiveLimits(members=10),
        ),
        (overlapping(), ArchiveLimits()),
    ],
)
def test_bombs(write: Write, data: bytes, limits: ArchiveLimits) -> None:
    with pytest.raises(UnreadableError) as caught:
        plan_archive(write("a.zip", data), limits)
    assert caught.value.code == "archive_bomb"


@pytest.mark.parametrize("data", [b"", b"PK\3\4", b"no zip", make_zip({"a": b"x" * 999})[:-30], b"PK\5\6" + bytes(18)])
def test_damaged(write: Write, data: bytes) -> None:
    path = write("a.zip", data)
    if data.startswith(b"PK\5\6"):
        assert plan_archive(path).members == ()
        return
    with pytest.raises(UnreadableError):
        plan_archive(path)


def test_member_with_damaged_data(write: Write) -> None:
    data = bytearray(make_zip({"a.txt": bytes(range(256)) * 10}))
    data[40:60] = bytes(20)
    (member,) = plan_archive(write("a.zip", bytes(data))).members
    with pytest.raises(UnreadableError, match="damaged"):
        member.copy_to(io.BytesIO())
