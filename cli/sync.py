"""`python -m ingest sync DIR`: makes a collection equal to a folder, once or for as long as it watches.

The collection is compared by digests, documents move and go in one transaction, and what is new is uploaded: stopped
anywhere, the next run does the rest. Documents that came from elsewhere stay, unless `--prune`.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalog.folders import SOURCE, FolderFiles
from cli.session import add_password_arguments, open_backend, password_of
from ingest.sources.folder_manifest import FolderReader, Manifest
from rag.errors import ConfigurationError, DocentError

if TYPE_CHECKING:
    from cli.backends import Backend, Outcome
    from rag.settings import Settings

WATCH_SECONDS = 2.0
RETRY_SECONDS = 30.0
CHANGES = ("add", "replace", "move", "delete")
WORDS = {"add": "added", "replace": "replaced", "move": "moved", "delete": "deleted"}


def add_arguments(command: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    command.add_argument("folder", type=Path, metavar="DIR")
    command.add_argument("--collection", default="default", metavar="C", help="default: default")
    command.add_argument("--include", action="append", default=[], metavar="GLOB", help="only files that match")
    command.add_argument("--exclude", action="append", default=[], metavar="GLOB", help="no files that match")
    command.add_argument("--dry-run", action="store_true", help="show the plan, and stop")
    command.add_argument("--watch", action="store_true", help="keep it so, until stopped")
    command.add_argument("--prune", action="store_true", help="delete documents that did not come from DIR, too")
    command.add_argument("--yes", action="store_true", help="delete everything although DIR holds no files")
    command.add_argument("--name", help="what DIR is known by (default: its path), where its path changes")
    command.add_argument("--json", action="store_true", help="print the plan and the outcome as JSON")
    command.add_argument("--server", metavar="URL", help="default: the server that owns the data folder, if any")
    add_password_arguments(command)


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Carry the command out; its exit status."""
    reader = FolderReader(options.folder, include=options.include, exclude=options.exclude)
    password = password_of(options)
    if not options.watch:
        return _once(reader, options, settings, password)
    seen: int | None = None
    while True:
        present = reader.fingerprint()
        wait = WATCH_SECONDS
        if present != seen:
            try:
                _once(reader, options, settings, password)
                seen = present
            except DocentError as error:
                # the folder or the server may come back
                print(f"docent: {error.message} Trying again in {RETRY_SECONDS:.0f} s.", file=sys.stderr)
                wait = RETRY_SECONDS
        time.sleep(wait)


def _once(reader: FolderReader, options: argparse.Namespace, settings: Settings, password: str | None) -> int:
    started = time.monotonic()
    source = options.name or str(options.folder.resolve())
    place = Place(source, str(options.folder), {SOURCE: source}, password)
    return make_equal(reader.read(), place, options, settings, started=started)


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


def make_equal(
    manifest: Manifest, place: Place, options: argparse.Namespace, settings: Settings, *, started: float
) -> int:
    """Make a collection equal to a manifest; the exit status. `options` has `collection`, `server`, `prune`, `yes`,
    `dry_run`, `watch` and `json`.

    Raises:
        ConfigurationError: everything would be deleted, and nobody said yes.
    """
    folder = FolderFiles(manifest.digests, place.source, frozenset(manifest.unread), options.prune)
    with open_backend(
        settings, options.collection, options.server, metadata=place.metadata, password=place.password
    ) as target:
        plan = target.sync(folder, apply=False)
        if plan["delete"] and not manifest.digests and not options.yes and not options.dry_run:
            raise ConfigurationError(
                f"{place.shown} holds no files, so all {len(plan['delete'])} documents would be deleted. "
                "Add --yes if that is meant."
            )
        outcomes = [] if options.dry_run else _carry_out(target, folder, plan, manifest, options)
    seconds = time.monotonic() - started
    if options.dry_run:
        _show_plan({**plan, **place.facts}, manifest, seconds, as_json=options.json)
        return 0
    return _summarise(plan, manifest, outcomes, seconds, place.facts, as_json=options.json)


def _carry_out(
    target: Backend, folder: FolderFiles, plan: dict[str, Any], manifest: Manifest, options: argparse.Namespace
) -> list[Outcome]:
    from cli.ingest import ingest

    if any(plan[change] for change in (*CHANGES, "adopt")):
        plan.update(target.sync(folder, apply=True))
    wanted = [manifest.files[name] for name in sorted(plan["add"] + plan["replace"])]
    outcomes = ingest(target, wanted, quiet=options.json or options.watch) if wanted else []
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
