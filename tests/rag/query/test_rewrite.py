"""When a chat model rewrites a question, what is taken for its rewriting, and when the rules do it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

import pytest

from rag.errors import ChatUnavailableError
from rag.query import followup, rewrite
from rag.query.rewrite import Rewriter
from rag.types import ChatDelta, Message
from tests.fakes import ScriptedChat

HISTORY = [
    Message("user", "How many vacation days do employees get?"),
    Message("assistant", "Full-time employees get 25 days. [1]"),
]
ASKED = "and for contractors?"
REWRITTEN = "How many vacation days do contractors get?"
BY_RULES = followup.standalone(ASKED, HISTORY)


def test_a_capable_model_rewrites_in_one_call() -> None:
    chat = ScriptedChat(REWRITTEN)

    assert Rewriter(chat, capable=True).standalone(ASKED, HISTORY) == REWRITTEN
    (prompt,) = chat.prompts
    assert [message.role for message in prompt] == ["system", "user"]
    assert all(turn.content in prompt[1].content for turn in HISTORY)
    assert prompt[1].content.endswith(f"Last message: {ASKED}")


@pytest.mark.parametrize(
    "said",
    [
        f"  {REWRITTEN}\n",
        f'"{REWRITTEN}"',
        f"**{REWRITTEN}**",
        f"Question: {REWRITTEN}",
        f"Standalone question: “{REWRITTEN}”",
        f"Here is the rewritten question:\n\n{REWRITTEN}",
        f"<think>The user means leave.\nSo…</think>\n{REWRITTEN}",
        f"```\n{REWRITTEN}\n```",
        f'```json\n{{"question": "{REWRITTEN}"}}\n```',
        f"{REWRITTEN}\n\n(I have put in the subject.)",
    ],
)
def test_wrappings_are_taken_off(said: str) -> None:
    assert Rewriter(ScriptedChat(said), capable=True).standalone(ASKED, HISTORY) == REWRITTEN


@pytest.mark.parametrize(
    "said",
    [
        "",
        "  \n```\n```",
        "<think>Well, the user",
        "承包商有多少天假期？",
        "word " * 200,
        "Contractors receive statutory entitlements under separate framework agreements negotiated annually.",
        ChatUnavailableError("down"),
    ],
)
def test_what_cannot_be_trusted_leaves_it_to_the_rules(said: str | BaseException) -> None:
    assert Rewriter(ScriptedChat(said), capable=True).standalone(ASKED, HISTORY) == BY_RULES


@pytest.mark.parametrize(
    ("chat", "capable"),
    [(None, True), (ScriptedChat(REWRITTEN), False), (ScriptedChat(REWRITTEN, ready=False), True)],
)
def test_a_small_model_or_none_is_not_asked(chat: ScriptedChat | None, capable: bool) -> None:
    assert Rewriter(chat, capable=capable).standalone(ASKED, HISTORY) == BY_RULES
    assert chat is None or chat.prompts == []


@pytest.mark.parametrize(
    ("asked", "history"),
    [
        (ASKED, []),
        (ASKED, [Message("user", "Hello!"), Message("assistant", "Hello! Ask me something.")]),
        (ASKED, [Message("system", "Be brief."), Message("assistant", "Hi.")]),
        ("thanks!", HISTORY),
        ("  ", HISTORY),
    ],
)
def test_without_a_question_before_or_one_now_nothing_is_asked(asked: str, history: list[Message]) -> None:
    chat = ScriptedChat(REWRITTEN)

    assert Rewriter(chat, capable=True).standalone(asked, history) == asked
    assert chat.prompts == []


def test_a_new_question_that_the_model_leaves_alone_is_the_question_itself() -> None:
    asked = "and where is the archive box? "

    assert Rewriter(ScriptedChat(asked.strip()), capable=True).standalone(asked, HISTORY) == asked


def test_a_chinese_question_after_an_english_one_stays_chinese() -> None:
    chat = ScriptedChat("Nordwind是什么时候成立的？")
    before = [Message("user", "Where is Nordwind based?"), Message("assistant", "In Bergen.")]

    assert Rewriter(chat, capable=True).standalone("它是什么时候成立的？", before) == "Nordwind是什么时候成立的？"


@pytest.mark.parametrize(
    ("before", "asked", "said"),
    [
        ("正式员工有几天年假", "那实习生呢", "实习生每年可以休多少天年假？"),
        ("怎么重置密码", "管理员呢", "管理员如何重置自己的密码？"),
        (
            "How many vacation days do employees get?",
            "contractrs?",
            "How many days of vacation do contractors receive each year?",
        ),
        ("what does error E43 mean", "how do i fix that", "How do I fix error E43?"),
    ],
)
def test_a_free_rewriting_is_taken(before: str, asked: str, said: str) -> None:
    assert Rewriter(ScriptedChat(said), capable=True).standalone(asked, [Message("user", before)]) == said


@pytest.mark.parametrize(
    ("before", "asked", "said"),
    [
        ("正式员工有几天年假", "那实习生呢", "根据劳动合同法第四十五条，用人单位应当依法安排休息。"),
        (
            "what does error E43 mean",
            "how do i fix that",
            "Open the water tap fully, clean the inlet sieve and restart.",
        ),
    ],
)
def test_an_answer_is_not_taken_for_a_question(before: str, asked: str, said: str) -> None:
    history = [Message("user", before)]

    found = Rewriter(ScriptedChat(said), capable=True).standalone(asked, history)

    assert found == followup.standalone(asked, history)


def test_only_the_last_turns_are_shown_and_long_ones_are_cut() -> None:
    chat = ScriptedChat(REWRITTEN)
    long_ago = [Message("user", "What about lemons?"), Message("assistant", "They are sour.")]

    Rewriter(chat, capable=True).standalone(ASKED, [*long_ago, *HISTORY * 3, Message("assistant", "x" * 5000)])

    shown = chat.prompts[0][1].content
    assert "lemons" not in shown
    assert len(shown) < 3000


class _SlowChat:
    """Says nothing until it is told to."""

    name = "slow"

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.closed = threading.Event()

    def ready(self) -> bool:
        return True

    def stream(self, messages: Sequence[Message], *, max_tokens: int) -> Iterator[ChatDelta]:
        try:
            self.go_on.wait(10)
            yield ChatDelta(REWRITTEN)
            yield ChatDelta(" And more.")
        finally:
            self.closed.set()


def test_a_slow_model_is_not_waited_for_and_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rewrite, "SECONDS", 0.05)
    chat = _SlowChat()

    assert Rewriter(chat, capable=True).standalone(ASKED, HISTORY) == BY_RULES
    chat.go_on.set()
    assert chat.closed.wait(5)
