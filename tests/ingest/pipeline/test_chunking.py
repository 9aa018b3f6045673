"""What a chunk must be, for any text; and where the cuts fall in texts with structure."""

from __future__ import annotations

import re
import time
import unicodedata
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.pipeline.chunking import chunk_document, chunk_documents
from ingest.readers.text.normalisation import TextBuilder, normalise
from rag.types import Chunk, Heading, PageSpan, ParsedDocument

CJK = "\u3400-\u9fff"


class WordCounter:
    """Latin words cost a token per started six letters, other characters one each; spaces are free, as in WordPiece."""

    def __init__(self, max_tokens: int = 254) -> None:
        self.max_tokens = max_tokens
        self.calls: list[int] = []

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        self.calls.append(len(texts))
        return [sum(-(-len(t) // 6) for t in re.findall("[a-zA-Z]+|[^\\sa-zA-Z]", text)) for text in texts]


class CharacterCounter(WordCounter):
    """Each character is a token, spaces too: sums of parts fall short of the whole."""

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        self.calls.append(len(texts))
        return [len(text) for text in texts]


def check(document: ParsedDocument, chunks: list[Chunk], tokens: WordCounter) -> None:
    position = 0
    for ordinal, chunk in enumerate(chunks):
        assert chunk.ordinal == ordinal
        assert document.text[chunk.start : chunk.end] == chunk.text
        assert chunk.text
        assert chunk.text == chunk.text.strip()
        assert chunk.start >= position
        assert not document.text[position : chunk.start].strip()
        position = chunk.end
        if document.pages:
            assert chunk.page is not None
            assert chunk.page_end is not None
            assert chunk.page <= chunk.page_end
    assert not document.text[position:].strip()
    lengths = tokens.count_tokens([chunk.embedding_text for chunk in chunks])
    assert max(lengths, default=0) <= tokens.max_tokens


PIECES = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        [
            "\n\n",
            "\n",
            ". ",
            "。",
            "，",
            "word ",
            "a" * 150,
            "中文没有空格" * 12,
            "e\u0301" * 30,
            "👩‍👩‍👧‍👦" * 9,
            "• item\n",
            "a | b\n",
            "😀" * 40,
        ]
    ),
    st.text(alphabet="abc \n.。中", max_size=120),
)


@st.composite
def documents(draw: st.DrawFn) -> ParsedDocument:
    builder = TextBuilder()
    paged = draw(st.booleans())
    for number in range(1, draw(st.integers(1, 4)) + 1):
        if paged:
            builder.begin_page(number)
        for _ in range(draw(st.integers(0, 5))):
            if draw(st.integers(0, 3)) == 0:
                builder.add_heading(draw(st.integers(1, 6)), normalise(draw(st.text(max_size=60))).replace("\n", " "))
            builder.add_block(normalise("".join(draw(st.lists(PIECES, max_size=8)))))
    return builder.build()


@given(
    documents(), st.integers(1, 120), st.sampled_from([8, 32, 254]), st.sampled_from([WordCounter, CharacterCounter])
)
@settings(max_examples=400, deadline=None)
def test_any_document(document: ParsedDocument, target: int, window: int, kind: type[WordCounter]) -> None:
    tokens = kind(window)
    check(document, chunk_document(document, tokens, target_tokens=target), tokens)


def sentence(i: int) -> str:
    return f"Sentence number {i} says something about the matter at hand in twelve words."


def text_of(count: int, start: int = 0) -> str:
    return " ".join(sentence(i) for i in range(start, start + count))


def test_empty_document() -> None:
    assert chunk_document(ParsedDocument(""), WordCounter(), target_tokens=50) == []


def test_sizes_are_balanced() -> None:
    tokens = WordCounter()
    for count in range(5, 60):
        chunks = chunk_document(ParsedDocument(text_of(count)), tokens, target_tokens=100)
        lengths = tokens.count_tokens([chunk.text for chunk in chunks])
        assert max(lengths) <= 125
        assert len(lengths) == 1 or min(lengths) >= 50, lengths


def test_one_call_for_many_documents() -> None:
    tokens = WordCounter()
    found = chunk_documents([ParsedDocument(text_of(n)) for n in (0, 3, 40)], tokens, target_tokens=100)
    assert [bool(chunks) for chunks in found] == [False, True, True]
    assert len(tokens.calls) == 1


def test_what_hardly_fits_is_counted_again() -> None:
    tokens = WordCounter(max_tokens=110)
    (chunks,) = chunk_documents([ParsedDocument(text_of(40))], tokens, target_tokens=108)
    assert len(tokens.calls) == 2
    assert max(tokens.count_tokens([chunk.text for chunk in chunks])) <= 110


def test_cuts_at_headings_and_carries_the_path() -> None:
    builder = TextBuilder()
    builder.add_heading(1, "Book")
    builder.add_heading(2, "First")
    builder.add_block(text_of(6))
    builder.add_heading(2, "Second")
    builder.add_block(text_of(6, 6))
    document = builder.build()
    first, second = chunk_document(document, WordCounter(), target_tokens=100)
    assert first.text.startswith("Book\n\nFirst\n\nSentence number 0")
    assert first.heading == "Book > First"
    assert second.text.startswith("Second\n\nSentence number 6")
    assert second.heading == "Book > Second"


def test_small_sections_share_a_chunk() -> None:
    builder = TextBuilder()
    for i in range(20):
        builder.add_heading(2, f"Question {i}")
        builder.add_block("A short answer.")
    tokens = WordCounter()
    chunks = chunk_document(builder.build(), tokens, target_tokens=60)
    assert all(chunk.text.startswith("Question") and chunk.text.endswith("answer.") for chunk in chunks)
    assert min(tokens.count_tokens([chunk.text for chunk in chunks])) > 20


def test_long_heading_path_is_shortened_from_the_left() -> None:
    builder = TextBuilder()
    for level in range(1, 7):
        builder.add_heading(level, f"Heading of level {level} with many words in it")
    builder.add_block(text_of(10))
    tokens = WordCounter(90)
    chunks = chunk_document(builder.build(), tokens, target_tokens=80)
    assert chunks[-1].heading == "Heading of level 5 with many words in it > Heading of level 6 with many words in it"


def paged(*texts: str) -> ParsedDocument:
    builder = TextBuilder()
    for number, text in enumerate(texts, start=1):
        builder.begin_page(number)
        builder.add_block(text)
    return builder.build()


def test_prefers_page_ends() -> None:
    chunks = chunk_document(paged(text_of(5), text_of(5, 5), text_of(5, 10)), WordCounter(), target_tokens=100)
    assert [(chunk.page, chunk.page_end) for chunk in chunks] == [(1, 1), (2, 2), (3, 3)]


def test_sentence_over_a_page_end_stays_whole() -> None:
    document = paged(text_of(3) + " This one goes", "on over the page. " + text_of(3, 3))
    chunks = chunk_document(document, WordCounter(), target_tokens=60)
    (crossing,) = [chunk for chunk in chunks if "This one goes" in chunk.text]
    assert "on over the page." in crossing.text
    assert (crossing.page, crossing.page_end) == (1, 2)


def test_blank_pages_do_not_take_chunks() -> None:
    document = ParsedDocument("body", (PageSpan(1, 0, 0), PageSpan(2, 0, 4), PageSpan(3, 4, 4)))
    (chunk,) = chunk_document(document, WordCounter(), target_tokens=50)
    assert (chunk.page, chunk.page_end) == (2, 2)


def test_chinese_is_cut_at_its_sentences() -> None:
    text = "公司规定员工每年享有十五天带薪年假，应提前两周申请。" * 30
    chunks = chunk_document(ParsedDocument(text), WordCounter(), target_tokens=100)
    assert len(chunks) > 4
    assert all(chunk.text.endswith("。") for chunk in chunks)


@pytest.mark.parametrize(
    "text", ["x" * 5000, "中" * 5000, "e\u0301" * 2500, "word " * 3000, "a,b" * 2000, "👩‍👩‍👧‍👦" * 500]
)
def test_endless_sentences_are_cut(text: str) -> None:
    text = normalise(text)
    tokens = CharacterCounter(100)
    chunks = chunk_document(ParsedDocument(text), tokens, target_tokens=80)
    check(ParsedDocument(text), chunks, tokens)
    assert len(chunks) <= len(text) / 40
    assert not any(unicodedata.combining(chunk.text[0]) or chunk.text[0] == "\u200d" for chunk in chunks)


def test_an_introduction_stays_with_its_list() -> None:
    text = text_of(6) + "\n\nThe plan covers:\n\n" + "\n".join(f"• item {i} of the list of things" for i in range(9))
    chunks = chunk_document(ParsedDocument(text), WordCounter(), target_tokens=100)
    assert not any(chunk.text.endswith(":") for chunk in chunks)


def test_repeated_titles_appear_once_in_the_path() -> None:
    document = ParsedDocument("A\n\nA\n\nbody", headings=(Heading(1, "A", 0), Heading(2, "A", 3)))
    assert [chunk.heading for chunk in chunk_document(document, WordCounter(), target_tokens=50)] == ["A"]


def test_hostile_texts_take_no_longer() -> None:
    """Kinds of text that make a careless cutter quadratic."""
    for text in ("J. " * 8_000, "a" * 40_000, "\n\n".join("b" for _ in range(10_000))):
        started = time.perf_counter()
        chunk_document(ParsedDocument(text.strip()), WordCounter(), target_tokens=200)
        assert time.perf_counter() - started < 5


def test_the_rest_of_a_section_is_not_mixed_with_the_next() -> None:
    builder = TextBuilder()
    for name in ("Operations", "Personnel"):
        builder.add_heading(2, name)
        builder.add_block(text_of(9))
    chunks = chunk_document(builder.build(), WordCounter(), target_tokens=100)
    assert [chunk.heading for chunk in chunks if "Personnel" in chunk.text] == ["Personnel"]


class OneTokenAWord(WordCounter):
    """However long a word is, as WordPiece has it beyond a hundred letters."""

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) for text in texts]


@pytest.mark.parametrize("word", ["7" * 1_000_000, "a" * 100_000, "🚰" * 50_000, ("x" * 300 + " ") * 2000])
def test_no_chunk_is_endless(word: str) -> None:
    document = ParsedDocument(text=f"The Kestrel valve costs 12 euros {word}".strip())
    tokens = OneTokenAWord()
    started = time.monotonic()
    chunks = chunk_document(document, tokens, target_tokens=200)
    assert time.monotonic() - started < 10
    check(document, chunks, tokens)
    assert max(len(chunk.text) for chunk in chunks) <= 4000
