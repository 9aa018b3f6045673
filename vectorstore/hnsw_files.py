"""The files of an HNSW index as hnswlib writes them: whether sizes and links are such that it can be walked and added
to.

Chroma believes what these files say; a link that leads outside ends the process, or never ends. Knows version 1 of the
format and judges no other.
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

_HEADER = struct.Struct("<i6QiI3QdQ")


def links_hold(folder: Path) -> bool:
    """Whether the index in a folder is whole; one that has no header is no index. Raises OSError."""
    header = folder / "header.bin"
    if not header.exists():
        return True
    facts = header.read_bytes()
    if len(facts) != _HEADER.size:
        return False
    version, *rest = _HEADER.unpack(facts)
    if version != 1:
        return True
    _, most, count, step, label, data, top, entry, upper_links, level0_links, _, _, _ = rest
    # files may be longer: they are made for more elements than there are
    long_enough = (folder / "data_level0.bin").stat().st_size >= count * step
    if count > most or not long_enough or (folder / "length.bin").stat().st_size < 4 * count:
        return False
    if count == 0:
        return True
    if not (entry < count and top >= 0 and 4 * (level0_links + 1) <= data < label < step):
        return False
    lists = (folder / "link_lists.bin").read_bytes()
    level0 = np.memmap(folder / "data_level0.bin", dtype=np.uint8, mode="r")[: count * step]
    links = level0.reshape(count, step)[:, : 4 * (level0_links + 1)].copy().view("<u4")
    used = links[:, :1] & 0xFFFF
    within = np.arange(links.shape[1] - 1)[None, :] < used
    return bool((used <= level0_links).all() and (links[:, 1:][within] < count).all()) and _lists_hold(
        lists, count, upper_links
    )


def _lists_hold(lists: bytes, count: int, most: int) -> bool:
    """Whether the links of the upper levels, one list an element, fit their file and lead to elements."""
    place, level = 0, 4 * (most + 1)
    for _ in range(count):
        if place + 4 > len(lists):
            return False
        (size,) = struct.unpack_from("<I", lists, place)
        place += 4
        if size % level or place + size > len(lists):
            return False
        for start in range(place, place + size, level):
            used, *links = struct.unpack_from(f"<{most + 1}I", lists, start)
            if used & 0xFFFF > most or any(link >= count for link in links[: used & 0xFFFF]):
                return False
        place += size
    return True
