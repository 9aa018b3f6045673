"""The command `docent`: its help, what help costs, its exit statuses, its completion, its doors and its package."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from importlib import import_module
from pathlib import Path

import click
import pytest

from cli.ingest import BATCH_FILES
from cli.main import BESIDE_INGEST, docent, ingest_main, main
from rag.errors import UnavailableError
from rag.version import VERSION

PROJECT = Path(__file__).resolve().parents[2]
# A command's help is told by these and the standard library alone.
LIGHT = re.compile(r"click(\..+)?|cli(\..+)?|rag|rag\.(errors|version)")
HELP_MODULES = """
import json, sys
before = set(sys.modules)
from cli.main import main
status = main([*sys.argv[1:], "--help"])
print(json.dumps([status, sorted(set(sys.modules) - before)]), file=sys.stderr)
"""


def commands(group: click.Group = docent, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The names that lead to every command, groups among them."""
    yield path
    with click.Context(group) as context:
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            assert command is not None
            if isinstance(command, click.Group):
                yield from commands(command, (*path, name))
            else:
                yield (*path, name)


def found(path: tuple[str, ...]) -> click.Command:
    command: click.Command = docent
    for name in path:
        assert isinstance(command, click.Group)
        next_one = command.get_command(click.Context(command), name)
        assert next_one is not None
        command = next_one
    return command


def test_all_commands_are_there() -> None:
    names = {" ".join(path) for path in commands()}
    assert names >= {"serve", "ingest", *BESIDE_INGEST, "weights fetch", "eval run", "eval sentences", "bench"}


@pytest.mark.parametrize("path", list(commands()), ids=" ".join)
def test_help_imports_nothing_heavy(path: tuple[str, ...]) -> None:
    told = subprocess.run(
        [sys.executable, "-c", HELP_MODULES, *path], cwd=PROJECT, capture_output=True, text=True, check=True
    )

    status, imported = json.loads(told.stderr)
    assert status == 0
    assert told.stdout.startswith(" ".join(["Usage: docent", *path]))
    foreign = {name for name in imported if name.split(".")[0] not in sys.stdlib_module_names}
    assert not {name for name in foreign if not LIGHT.fullmatch(name)}


@pytest.mark.parametrize("path", list(commands()), ids=" ".join)
def test_every_command_and_option_says_what_it_does(path: tuple[str, ...]) -> None:
    command = found(path)
    assert command.get_short_help_str(limit=62)[-3:] != "..."
    for parameter in command.params:
        assert not isinstance(parameter, click.Option) or parameter.help, f"{parameter.name} has no help"


def test_the_version_is_spelt_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"docent {VERSION}\n"

    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    assert "version" in project["project"]["dynamic"]
    assert project["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "rag.version.VERSION"}
    rooms = [path.parent for path in PROJECT.glob("*/__init__.py")]
    sources = [*PROJECT.glob("*.py"), *(path for room in rooms for path in room.rglob("*.py"))]
    assert [path.name for path in sources if f'"{VERSION}"' in path.read_text(encoding="utf-8")] == ["version.py"]
    headings = re.findall(r"^## (\S+)", (PROJECT / "CHANGELOG.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert next(heading for heading in headings if heading != "Unreleased") == VERSION


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nonsense"],
        ["--nonsense"],
        ["ingest"],
        ["sync"],
        ["sync", "a", "b"],
        ["sync", ".", "--collection"],
        ["doctor", "--nonsense"],
        ["retry", "--all", "--password", "--password-env", "NAME"],
        ["eval"],
        ["eval", "fit-languages", "german", "--texts", "a", "--questions", "b", "--out", "c"],
        ["eval", "evidence", "no-equals-sign", "--out", "o"],
        ["bench", "--questions", "1"],
        ["completion", "csh"],
        ["weights", "fetch", "nonsense"],
    ],
)
def test_misuse_ends_with_two(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err


def test_a_setting_that_is_wrong_ends_with_two(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DOCENT_PORT", "many")
    for command in (["doctor"], ["ingest", "."], ["sync", "."], ["retry", "--all"], ["weights"], ["serve"]):
        assert main(command) == 2
        assert capsys.readouterr().err.startswith("docent: DOCENT_PORT='many' is not valid")


def test_serve_and_app_are_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.main", lambda: 7)
    assert main(["serve"]) == 7


def test_errors_and_a_stop_have_their_status(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def end_with(error: BaseException) -> int:
        def fail() -> int:
            raise error

        monkeypatch.setattr("app.main", fail)
        return main(["serve"])

    assert end_with(UnavailableError("Gone.")) == 2
    assert capsys.readouterr().err == "docent: Gone.\n"
    assert end_with(KeyboardInterrupt()) == 130
    assert capsys.readouterr().err == "docent: stopped\n"
    with pytest.raises(ZeroDivisionError):  # a fault of ours is not hidden
        end_with(ZeroDivisionError())


def test_python_m_ingest_is_a_door(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []
    monkeypatch.setattr("cli.main.main", lambda arguments: seen.append(arguments) or 0)
    for arguments in (["sync", "d"], ["a.pdf", "--json"], ["--json", "a.pdf"], ["--help"], []):
        assert ingest_main(arguments) == 0
    ingest = [["ingest", "a.pdf", "--json"], ["ingest", "--json", "a.pdf"], ["ingest", "--help"], ["ingest"]]
    assert seen == [["sync", "d"], *ingest]


@pytest.mark.parametrize("module", ["ingest", "bench", "cli"])
def test_the_doors_open(module: str) -> None:
    told = subprocess.run(
        [sys.executable, "-m", module, "--help"], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert told.stdout.startswith("Usage: docent")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_completion(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    out = capsys.readouterr().out
    assert f"_DOCENT_COMPLETE={shell}_complete" in out
    assert "docent" in out


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("docent do", "plain,doctor"),
        ("docent sync --wa", "plain,--watch"),
        ("docent backup fil", "file,fil"),
        ("docent eval fit-r", "plain,fit-ranking"),
        ("docent eval gold", "file,gold"),
        ("docent eval golden.jsonl --ga", "plain,--gate"),
        ("docent weights fetch cha", "plain,chat"),
    ],
)
def test_words_are_completed(line: str, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_DOCENT_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", line)
    monkeypatch.setenv("COMP_CWORD", str(len(line.split()) - 1))
    told = subprocess.run([sys.executable, "-m", "cli"], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == expected


def test_the_installed_command_is_this_one() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    module, _, name = project["project"]["scripts"]["docent"].partition(":")
    assert getattr(import_module(module), name) is main


def test_the_package_holds_every_file_and_module() -> None:
    setuptools = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    rooms = {pattern.removesuffix("*") for pattern in setuptools["packages"]["find"]["include"]}
    assert rooms == {path.parent.name for path in PROJECT.glob("*/__init__.py")} - {"tests"} | {"data.samples"}
    assert set(setuptools["py-modules"]) == {path.stem for path in PROJECT.glob("*.py")}
    for room in rooms - {"data.samples"}:
        for path in (PROJECT / room).rglob("*"):
            if path.is_file() and path.suffix not in (".py", ".pyc"):
                assert any(fnmatch(path.name, pattern) for pattern in setuptools["package-data"]["*"]), path


def test_the_benchmark_uploads_as_the_command_line_does() -> None:
    from bench.ingestion import UPLOAD_FILES

    assert UPLOAD_FILES == BATCH_FILES
