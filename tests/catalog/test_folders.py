"""What makes a collection equal to a folder: the comparison, and the transaction that moves and deletes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from catalog.folders import SOURCE, FolderCatalog, FolderFiles, Held, SyncPlan, compare
from rag.types import DocumentStatus
from tests.catalog.conftest import Catalog

HERE = "/folder"


def sha(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()


def folder(files: Mapping[str, str], source: str | None = HERE, **more: object) -> FolderFiles:
    return FolderFiles({name: sha(content) for name, content in files.items()}, source, **more)  # type: ignore[arg-type]


def held(name: str, content: str, source: str | None = HERE, status: str = "indexed") -> Held:
    return Held(f"id of {name}", name, sha(content), status, source)


def test_add_replace_unchanged_delete_and_kept() -> None:
    present = [held("same.md", "1"), held("old.md", "2"), held("gone.md", "3"), held("other.md", "4", None)]

    plan = compare(folder({"same.md": "1", "old.md": "new", "more.md": "5"}), present)

    assert (plan.add, plan.replace, plan.unchanged) == (["more.md"], ["old.md"], ["same.md"])
    assert (plan.delete, plan.kept, plan.move) == (["gone.md"], ["other.md"], [])
    everything = compare(folder({"same.md": "1"}, None), present)
    assert everything.delete == ["old.md", "gone.md", "other.md"]
    assert compare(folder({"same.md": "1"}, prune=True), present).delete == everything.delete


def test_a_move_keeps_the_document_unless_its_type_changes() -> None:
    plan = compare(folder({"b/new.md": "1"}), [held("old.md", "1")])
    assert (plan.move, plan.delete, plan.add) == ([("old.md", "b/new.md")], [], [])
    plan = compare(folder({"new.txt": "1"}), [held("old.md", "1")])
    assert (plan.move, plan.delete, plan.add) == ([], ["old.md"], ["new.txt"])


def test_two_files_that_swap_their_names() -> None:
    plan = compare(folder({"a.md": "2", "b.md": "1"}), [held("a.md", "1"), held("b.md", "2")])
    assert sorted(plan.move) == [("a.md", "b.md"), ("b.md", "a.md")]
    assert plan.delete == plan.add == plan.replace == []


def test_equal_files_are_one_document() -> None:
    plan = compare(folder({"a.md": "1", "copy.md": "1"}), [])
    assert (plan.add, plan.unchanged) == (["a.md"], ["copy.md"])
    plan = compare(folder({"a.md": "1", "copy.md": "1"}), [held("copy.md", "old")])
    assert (plan.add, plan.replace, plan.unchanged) == ([], ["copy.md"], ["a.md"])


def test_what_could_not_be_read_stays_and_what_failed_is_told() -> None:
    present = [
        held("locked.md", "1"),
        held("bad.pdf", "2", status="failed"),
        held("stopped.md", "3", status="cancelled"),
    ]
    plan = compare(folder({"bad.pdf": "2", "stopped.md": "3"}, keep=frozenset({"locked.md"})), present)
    assert (plan.delete, plan.failed, plan.replace) == ([], ["bad.pdf"], ["stopped.md"])


def test_documents_with_a_file_are_adopted() -> None:
    plan = compare(folder({"a.md": "1"}), [held("a.md", "1", None), held("z.md", "9", "/elsewhere")])
    assert (plan.adopted, plan.delete, plan.kept) == (["id of a.md"], [], ["z.md"])


NAMES = st.sampled_from(["a.md", "b.md", "c.txt", "d.txt", "e.md"])
CONTENTS = st.sampled_from("123456")
FILES = st.dictionaries(NAMES, CONTENTS)


@given(files=FILES, before=FILES)
def test_any_folder_is_reached(files: dict[str, str], before: dict[str, str]) -> None:
    """Carrying a plan out on a model of the catalog gives the folder, equal bytes counted once."""
    alone = {content: name for name, content in before.items()}  # a collection holds equal bytes once
    documents = {name: sha(content) for content, name in alone.items()}
    wanted = {name: sha(content) for name, content in files.items()}
    state = carried_out(documents, compare(FolderFiles(wanted), _held(documents)), wanted)

    assert set(state.values()) == set(wanted.values())
    assert len(state) == len(set(state.values()))
    assert all(wanted[name] == digest for name, digest in state.items())
    again = compare(FolderFiles(wanted), _held(state))
    assert again.add == again.replace == again.move == again.delete == []


def _held(documents: Mapping[str, str]) -> list[Held]:
    return [Held(name, name, digest, "indexed", None) for name, digest in documents.items()]


def carried_out(documents: Mapping[str, str], plan: SyncPlan, wanted: Mapping[str, str]) -> dict[str, str]:
    state = {plan.renamed.get(name, name): digest for name, digest in documents.items() if name not in plan.removed}
    return state | {name: wanted[name] for name in plan.add + plan.replace}


def test_rearranging_a_collection(catalog: Catalog) -> None:
    folders = FolderCatalog(catalog.database, catalog.lexical)
    for name, content in {"a.txt": "alpha pump", "b.txt": "beta valve", "c.txt": "gamma tank"}.items():
        catalog.add(name, content)
    ids = {item.filename: item.id for item in catalog.documents.find().items}
    collection = catalog.collections.get("default").id

    wanted = folder({"zebra.txt": "alpha pump", "b.txt": "beta valve", "d.txt": "new"}, None)
    assert folders.diff("default", wanted).move == [("a.txt", "zebra.txt")]
    plan = folders.rearrange("default", wanted)

    assert (plan.add, plan.delete) == (["d.txt"], ["c.txt"])
    assert {item.filename: item.id for item in catalog.documents.find().items} == {
        "zebra.txt": ids["a.txt"],
        "b.txt": ids["b.txt"],
    }
    assert catalog.lexical.query(collection, "zebra", limit=5)
    assert not catalog.lexical.query(collection, "gamma", limit=5)
    assert catalog.ingestion.pending_vector_deletions() == {collection: [ids["c.txt"]]}
    assert folders.diff("nowhere", wanted).add == ["zebra.txt", "b.txt", "d.txt"]

    folders.rearrange("default", folder({"b.txt": "beta valve"}))
    assert catalog.documents.document(ids["b.txt"]).metadata == {SOURCE: HERE}
    assert catalog.documents.find().total == 2
    folders.rearrange("default", folder({}))
    assert [item.filename for item in catalog.documents.find().items] == ["zebra.txt"]


def test_older_versions_go_with_their_document(catalog: Catalog) -> None:
    folders = FolderCatalog(catalog.database, catalog.lexical)
    old = catalog.add("a.txt", "first version")
    (new,) = catalog.register(("a.txt", "second version"))
    assert new.status == DocumentStatus.QUEUED

    plan = folders.rearrange("default", folder({"b.txt": "second version"}, None))

    assert (plan.move, plan.removed) == ([("a.txt", "b.txt")], [old])
    catalog.index(new.document_id)
    assert [item.filename for item in catalog.documents.find().items] == ["b.txt"]
