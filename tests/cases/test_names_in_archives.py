"""Names of members of a ZIP in the encoding of the computer that made it."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from pathlib import Path

import pytest

from ingest.storage.archives import plan_archive


def _archive(names: list[bytes], *, told: str = "", utf8: bool = False) -> bytes:
    """A zip whose members have these very bytes for names; `told` is the Unicode field of the first."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for index, name in enumerate(names):
            info = zipfile.ZipInfo("m" * len(name))
            if told and not index:
                field = b"\x01" + struct.pack("<I", zlib.crc32(name)) + told.encode()
                info.extra = struct.pack("<HH", 0x7075, len(field)) + field
            archive.writestr(info, f"text {index}")
    data = bytearray(buffer.getvalue())
    at = 0
    for name in names:
        for _ in range(2):  # before the member and, at the end, in the directory
            at = data.index(b"m" * len(name), at if _ == 0 else data.index(b"PK\x01\x02"))
            data[at : at + len(name)] = name
        at = 0
    if utf8:
        start = -1
        while (start := data.find(b"PK\x01\x02", start + 1)) >= 0:
            data[start + 9] |= 0x08
        start = -1
        while (start := data.find(b"PK\x03\x04", start + 1)) >= 0:
            data[start + 7] |= 0x08
    return bytes(data)


def _paths(tmp_path: Path, data: bytes) -> list[str]:
    path = tmp_path / "a.zip"
    path.write_bytes(data)
    plan = plan_archive(path)
    for member in plan.members:
        assert member.copy_to(io.BytesIO()) == 6
    return [member.path for member in plan.members]


@pytest.mark.parametrize(
    ("encoding", "names"),
    [
        ("gb18030", ["制度/锅炉开放时间.md", "制度/请假流程.txt"]),
        ("gb18030", ["水泵维护手册.pdf"]),
        ("gb18030", ["合同.txt", "readme.txt"]),
        ("big5", ["制度/鍋爐開放時間.md", "請假流程.txt"]),
        ("cp932", ["規則/ボイラーの営業時間.md", "休暇申請.txt"]),
        ("cp949", ["규정/보일러 시간.md", "휴가 신청.txt"]),
        ("cp437", ["Verträge/Übersicht.txt", "größe.txt"]),
        ("cp437", ["Año.txt"]),
        ("cp866", ["Договор/отчёт.txt"]),
        ("cp1251", ["Договор/отчёт.txt"]),
        ("cp1252", ["Verträge/Übersicht.txt"]),
        ("utf-8", ["Договор/отчёт.txt", "制度/请假流程.txt"]),
        ("ascii", ["plain/name.txt"]),
    ],
)
def test_names_without_a_word_about_their_encoding(tmp_path: Path, encoding: str, names: list[str]) -> None:
    assert _paths(tmp_path, _archive([name.encode(encoding) for name in names])) == names


def test_the_flag_and_the_unicode_field_are_believed(tmp_path: Path) -> None:
    assert _paths(tmp_path, _archive(["合同.txt".encode()], utf8=True)) == ["合同.txt"]
    assert _paths(tmp_path, _archive([b"__.txt\xff"], told="镕炉.txt")) == ["镕炉.txt"]


def test_an_archive_within_one(tmp_path: Path) -> None:
    inner = _archive(["请假流程.txt".encode("gb18030")])
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("inner.zip", inner)
    path = tmp_path / "a.zip"
    path.write_bytes(buffer.getvalue())
    (member,) = plan_archive(path).members
    assert member.path == "inner.zip/请假流程.txt"
    assert member.copy_to(io.BytesIO()) == 6


def test_a_name_that_is_told_may_not_leave_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(_archive([b"ab\xff.txt"], told="../../b.txt"))
    plan = plan_archive(path)
    assert not plan.members
    assert plan.skipped == (("../../b.txt", "unsafe path"),)
