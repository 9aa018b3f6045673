"""How fast `sync` sees that nothing has changed: `python -m bench.resync [--files N] [--rounds N]`.

Makes a folder of small files, syncs it once and then times the command again, from its start to its end and by its own
clock.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from rag.settings import PROJECT_DIR, Settings, environment_without_settings

TARGET = 1500.0


def write_files(folder: Path, count: int) -> None:
    """Small text files, a hundred a folder."""
    for number in range(count):
        path = folder / f"{number // 100:03d}" / f"note-{number:05d}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"Note {number}.", encoding="utf-8")


def sync(folder: Path, data_dir: Path, models_dir: Path) -> tuple[dict[str, float], float]:
    """What the command says, and its seconds from start to end."""
    environment = environment_without_settings() | {
        "DOCENT_DATA_DIR": str(data_dir),
        "DOCENT_MODELS_DIR": str(models_dir),
        "DOCENT_LLM": "extractive",
        "DOCENT_SAMPLES": "0",
    }
    command = [sys.executable, "-m", "ingest", "sync", str(folder), "--json"]
    started = time.perf_counter()
    done = subprocess.run(
        command, cwd=PROJECT_DIR, env=environment, check=True, capture_output=True, text=True
    )  # our own
    return json.loads(done.stdout.splitlines()[-1]), time.perf_counter() - started


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the rates; 0 when the target is met, 1 when not."""
    command = argparse.ArgumentParser(
        prog="python -m bench.resync", description="Syncing a folder that has not changed."
    )
    command.add_argument("--files", type=int, default=10_000, metavar="N", help="small files (default 10000)")
    command.add_argument("--rounds", type=int, default=3, metavar="N", help="rounds (default 3)")
    options = command.parse_args(arguments)
    models_dir = Settings.load().models_dir
    with tempfile.TemporaryDirectory(prefix="docent-bench-") as temporary:
        folder, data_dir = Path(temporary, "files"), Path(temporary, "data")
        write_files(folder, options.files)
        first, seconds = sync(folder, data_dir, models_dir)
        print(f"first sync: {first['added']:.0f} files in {seconds:.1f} s", flush=True)
        found = [sync(folder, data_dir, models_dir) for _ in range(options.rounds)]
    if any(said["unchanged"] != options.files for said, _ in found):
        print("bench: not all files were unchanged", file=sys.stderr)
        return 1
    own = options.files / median(said["seconds"] for said, _ in found)
    whole = options.files / median(seconds for _, seconds in found)
    print(f"unchanged: {own:.0f} files/s (target >= {TARGET:.0f}); with the start of the program {whole:.0f} files/s")
    return 0 if own >= TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
