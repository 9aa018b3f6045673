"""`docent sync DIR`: makes a collection equal to a folder, once or for as long as it watches.

The collection is compared by digests, documents move and go in one transaction, and what is new is uploaded: stopped
anywhere, the next run does the rest. Documents that came from elsewhere stay, unless `--prune`.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalog.folders import SOURCE, FolderFiles
from cli.session import open_backend
from ingest.sources.folder_manifest import FolderReader, Manifest
from rag.errors import ConfigurationError, DocentError

if TYPE_CHECKING:
    from cli.backends import Backend, Outcome
    from rag.settings import Settings

WATCH_SECONDS = 2.0
RETRY_SECONDS = 30.0
CHANGES = ("add", "replace", "move", "delete")
WORDS = {"add": "added", "replace": "replaced", "move": "moved", "delete": "deleted"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be made equal, and how it is told."""

    collection: str
    server: str | None
    prune: bool
    yes: bool
    dry_run: bool
    as_json: bool
    watch: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where files come from: the name that documents follow, how it is shown, what its documents get, and what the
    outcome says of it.
    """

    source: str
    shown: str
    metadata: Mapping[str, Any]
    password: str | None = None
    facts: Mapping[str, str] = field(default_factory=dict)


def run(
    settings: Settings,
    folder: Path,
    wanted: Wanted,
    *,
    include: Sequence[str],
    exclude: Sequence[str],
    name: str | None,
    password: str | None,
) -> int:
    """Carry the command out; its exit status."""
    reader = FolderReader(folder, include=include, exclude=exclude)
    source = name or str(folder.resolve())
    place = Place(source, str(folder), {SOURCE: source}, password)
    if not wanted.watch:
        return _once(reader, place, wanted, settings)
    seen: int | None = None
    while True:
        present = reader.fingerprint()
        wait = WATCH_SECONDS
        if present != seen:
            try:
                _once(reader, place, wanted, settings)
                seen = present
            except DocentError as error:
                # the folder or the server may come back
                print(f"docent: {error.message} Trying again in {RETRY_SECONDS:.0f} s.", file=sys.stderr)
                wait = RETRY_SECONDS
        time.sleep(wait)


def _once(reader: FolderReader, place: Place, wanted: Wanted, settings: Settings) -> int:
    started = time.monotonic()
    return make_equal(reader.read(), place, wanted, settings, started=started)


def make_equal(manifest: Manifest, place: Place, wanted: Wanted, settings: Settings, *, started: float) -> int:
    """Make a collection equal to a manifest; the exit status.

    Raises:
        ConfigurationError: everything would be deleted, and nobody said yes.
    """
    folder = FolderFiles(manifest.digests, place.source, frozenset(manifest.unread), wanted.prune)
    with open_backend(
        settings, wanted.collection, wanted.server, metadata=place.metadata, password=place.password
    ) as target:
        plan = target.sync(folder, apply=False)
        if plan["delete"] and not manifest.digests and not wanted.yes and not wanted.dry_run:
            raise ConfigurationError(
                f"{place.shown} holds no files, so all {len(plan['delete'])} documents would be deleted. "
                "Add --yes if that is meant."
            )
        outcomes = [] if wanted.dry_run else _carry_out(target, folder, plan, manifest, wanted)
    seconds = time.monotonic() - started
    if wanted.dry_run:
        _show_plan({**plan, **place.facts}, manifest, seconds, as_json=wanted.as_json)
        return 0
    return _summarise(plan, manifest, outcomes, seconds, place.facts, as_json=wanted.as_json)


def _carry_out(
    target: Backend, folder: FolderFiles, plan: dict[str, Any], manifest: Manifest, wanted: Wanted
) -> list[Outcome]:
    from cli.ingest import ingest

    if any(plan[change] for change in (*CHANGES, "adopt")):
        plan.update(target.sync(folder, apply=True))
    files = [manifest.files[name] for name in sorted(plan["add"] + plan["replace"])]
    outcomes = ingest(target, files, quiet=wanted.as_json or wanted.watch) if files else []
    target.settle()
    return outcomes


def _show_plan(plan: dict[str, Any], manifest: Manifest, seconds: float, *, as_json: bool) -> None:
    if as_json:
        facts = {"skipped": manifest.skipped, "unread": manifest.unread, "seconds": round(seconds, 2)}
        print(json.dumps({**plan, **facts}, ensure_ascii=False))
        return
    for change in CHANGES:
        for item in plan[change]:
            print(f"{change:8}{item['from']} -> {item['to']}" if change == "move" else f"{change:8}{item}")
    print(f"{_counts(plan)}; nothing was done.")


def _summarise(
    plan: dict[str, Any],
    manifest: Manifest,
    outcomes: list[Outcome],
    seconds: float,
    facts: Mapping[str, str],
    *,
    as_json: bool,
) -> int:
    failures = {outcome.name: outcome.reason for outcome in outcomes if outcome.status in ("failed", "cancelled")}
    failures |= manifest.unread
    if as_json:
        summary = {
            "files": len(manifest.digests),
            **{WORDS[change]: len(plan[change]) for change in CHANGES},
            **{kind: len(plan[kind]) for kind in ("unchanged", "kept")},
            "skipped": manifest.skipped,
            "failed_before": plan["failed"],
            "failures": [{"file": name, "reason": reason} for name, reason in failures.items()],
            "seconds": round(seconds, 2),
            **facts,
        }
        print(json.dumps(summary, ensure_ascii=False), flush=True)
    else:
        for name, reason in failures.items():
            print(f"failed: {name}: {reason}", file=sys.stderr)
        rest = f"; {manifest.skipped} of other types left out" if manifest.skipped else ""
        print(f"{len(manifest.digests)} files in {seconds:.1f} s: {_counts(plan)}{rest}.", flush=True)
    return 1 if failures else 0


def _counts(plan: dict[str, Any]) -> str:
    found = [f"{len(plan[change])} {WORDS[change]}" for change in CHANGES if plan[change]]
    found += [f"{len(plan['unchanged'])} unchanged"]
    if plan["failed"]:
        found.append(f"{len(plan['failed'])} of these failed before")
    if plan["kept"]:
        found.append(f"{len(plan['kept'])} from elsewhere kept")
    return ", ".join(found)
