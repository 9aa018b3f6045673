"""build_services(settings) -> Services: the one place that picks adapters. The web, the command line and tests share it.

Constructing is cheap and touches the data folder only; the models are loaded by `Services.startup` in the background.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from catalog.audit import CatalogAudit
from catalog.collections import CollectionCatalog
from catalog.conversations import ConversationCatalog
from catalog.documents import DocumentCatalog
from catalog.engine import Database
from catalog.files import FileCatalog
from catalog.folders import FolderCatalog
from catalog.full_text import Fts5Index
from catalog.ingestion import IngestionCatalog
from catalog.jobs import JobCatalog
from catalog.token_vectors import TokenVectorCatalog
from catalog.trash import TrashCatalog
from ingest.pipeline.embedding import ChunkVectors
from ingest.pipeline.index_repair import check_vectors, repair_vectors
from ingest.pipeline.jobs import Jobs
from ingest.pipeline.pipeline import Pipeline
from ingest.pipeline.reindexing import Reindexer
from ingest.readers.sandbox.pool import ReaderPool
from ingest.sources.followed_folders import Folders
from ingest.sources.url import UrlFetcher
from ingest.storage.data_folder import DataFolder
from ingest.storage.folder_identity import catalog_of, close_catalog, open_catalog
from ingest.storage.library import Library
from ingest.storage.page_pictures import PagePictures
from ingest.storage.passwords import Passwords
from ingest.storage.trash import Trash
from rag.abandonment import AbandonableChat
from rag.adapters.embedding.collection_models import CollectionModels
from rag.adapters.embedding.embedders import CollectionSpaces, Embedders
from rag.adapters.entailment import build_entailment
from rag.adapters.reranker import CrossEncoderReranker
from rag.adapters.weights.files import ensure, is_present
from rag.adapters.weights.manifest import load_manifest
from rag.answering.answerer import Answerer, Limits, Writing
from rag.answering.certainty import ModelKind
from rag.chunking_config import ChunkingConfig
from rag.errors import UnavailableError
from rag.evidence.selector import Budget, EvidenceSelector
from rag.ports import ChatModel, Embedder
from rag.query.rewrite import Rewriter
from rag.query.translation import Translator
from rag.retrieval.retriever import Retriever
from rag.settings import PROJECT_DIR, Settings
from rag.verification.verifier import Verifier
from startup import Startup, Step
from vectorstore.chroma import ChromaIndex
from vectorstore.index_swap import settle
from vectorstore.owner import Ownership

DEFAULT_COLLECTION = "default"
SAMPLES_DIR = PROJECT_DIR / "data" / "samples"
CHAT_WEIGHTS = "chat"
LOCAL_CHAT_NAME = "qwen2.5-coder-1.5b-instruct"
# Likeliest tokens that the local model tells the chances of: yes and no in a few spellings are among them.
ALTERNATIVES = 10
PICTURE_TIMEOUT_S = 30
# Blocks worth less than this share of the best one are not shown to the local model, for which each token is a wait.
LEAST_LOCAL = 0.02

Report = Callable[[str], None]


@dataclass
class Services:
    """Everything a door needs. Built by `build_services`, closed by its owner."""

    settings: Settings
    ownership: Ownership
    database: Database
    collections: CollectionCatalog
    documents: DocumentCatalog
    ingestion: IngestionCatalog
    jobs: Jobs
    fetcher: UrlFetcher
    conversations: ConversationCatalog
    library: Library
    folders: Folders
    trash: Trash
    reindexer: Reindexer
    pictures: PagePictures
    pipeline: Pipeline
    dense: ChromaIndex
    token_vectors: TokenVectorCatalog
    spaces: CollectionSpaces
    embedder: Embedder
    retriever: Retriever
    selector: EvidenceSelector
    answerer: Answerer
    startup: Startup
    chat: ChatModel | None = None
    samples_added: bool = False
    _closing: list[Callable[[], None]] = field(default_factory=list)

    def close(self) -> None:
        """Stop the threads and child processes and give the data folder up. A second call does nothing."""
        while self._closing:
            self._closing.pop(0)()


def check_data_folder(settings: Settings) -> None:
    """Try what `build_services` will need of the data folder, so that a problem is told in one line before the start.

    Raises:
        OwnedElsewhereError, ConfigurationError: as `build_services`.
    """
    folder = DataFolder(settings.data_dir)
    with Ownership(folder.path):
        if folder.has_catalog() or folder.originals() or folder.unfinished_restore.exists():
            with catalog_of(folder):
                pass


def build_services(
    settings: Settings,
    *,
    embedder: Embedder | None = None,
    chat: ChatModel | None = None,
    with_chat: bool = True,
    first_run_samples: bool = False,
) -> Services:
    """Wire everything on the settings' data folder.

    Args:
        settings: the settings.
        embedder, chat: used instead of the configured ones (tests).
        with_chat: False leaves the chat model out (ingestion on the command line).
        first_run_samples: ingest the samples if the catalog is new and the settings want them.

    Raises:
        OwnedElsewhereError: another process owns the data folder.
        ConfigurationError: the folder or the catalog cannot be used, or the catalog is not this folder's.
    """
    folder = DataFolder(settings.data_dir)
    ownership = Ownership(folder.path)
    try:
        fresh = not folder.has_catalog()
        database = open_catalog(folder)
    except BaseException:
        ownership.release()
        raise
    lexical = Fts5Index(database.read)
    dense = ChromaIndex(folder.vectors)
    tokens = TokenVectorCatalog(database)
    embedders = Embedders(settings, given=embedder)
    collections = CollectionCatalog(
        database,
        embedding_model=embedders.default_id,
        recipe=ChunkingConfig(settings.chunk_tokens),
        knows=embedders.knows,
    )
    collections.adopt_chunking_config()
    spaces = CollectionSpaces(embedders, collections.origin)
    documents = DocumentCatalog(database, lexical, collections)
    ingestion = IngestionCatalog(database, lexical, max_queued_bytes=settings.max_queued_mb << 20)
    # One for large files, one for small uploads that come meanwhile.
    reader = ReaderPool(
        workers=2,
        timeout_s=settings.reader_timeout_s,
        memory_mb=settings.reader_memory_mb,
        ocr=settings.ocr,
        ocr_timeout_s=settings.ocr_timeout_s,
    )
    passwords = Passwords()
    library = Library(
        folder,
        FileCatalog(database),
        documents,
        ingestion,
        dense,
        wake=lambda: pipeline.wake(),
        passwords=passwords,
        forgotten=lambda document_id: pictures.forget(document_id),
        dropped=lambda ids: pipeline.drop(ids),
    )
    # Pictures have a process of their own, so that a page is shown while a large file is read.
    artist = ReaderPool(
        timeout_s=min(settings.reader_timeout_s, PICTURE_TIMEOUT_S),
        memory_mb=settings.reader_memory_mb,
        ocr=settings.ocr,
        ocr_timeout_s=PICTURE_TIMEOUT_S,
    )
    pictures = PagePictures(folder.pictures, artist, library.content_path, passwords=passwords)
    library.drop_orphans()
    pictures.drop_orphans(documents.ids())
    vectors = ChunkVectors(dense, tokens)
    pipeline = Pipeline(ingestion, library, reader, spaces, vectors, recipe=collections.recipe, passwords=passwords)
    reranker = CrossEncoderReranker(settings.rerank_model) if settings.rerank_model else None
    retriever = Retriever(spaces, dense, lexical, documents, tokens, reranker)
    selector = EvidenceSelector(documents, tokens, _budget(settings))
    closing: list[Callable[[], None]] = [pipeline.stop, reader.close, pictures.close]

    def start_ingestion(report: Report) -> None:
        repair_vectors(folder.vectors, CatalogAudit(database), dense, vectors, spaces, report)
        library.resume()
        tokens.drop_orphans()
        pipeline.start()

    models = CollectionModels(embedders, lambda: {item.name: item.embedding_model for item in collections.all()})
    chain = [
        Step("index", lambda _: _open_index(folder, dense, collections)),
        Step("embedder", models.load),
        Step("ingestion", start_ingestion),
    ]
    if reranker is not None:
        chain.append(Step("reranker", lambda _: reranker.load()))
    chain.append(Step("collections", models.check, required=False))
    chat_chain: list[Step] = []
    if chat is None and with_chat:
        chat, step, stop = chat_of(settings)
        chat_chain = [step] if step else []
        closing += [stop] if stop else []
    leavable = AbandonableChat(chat) if chat else None
    services = Services(
        settings=settings,
        ownership=ownership,
        database=database,
        collections=collections,
        documents=documents,
        ingestion=ingestion,
        jobs=Jobs(JobCatalog(database), documents, passwords, pipeline),
        fetcher=UrlFetcher(settings.allow_urls, max_bytes=settings.max_upload_mb << 20),
        conversations=ConversationCatalog(database),
        library=library,
        pictures=pictures,
        folders=Folders(FolderCatalog(database, lexical), library),
        trash=Trash(TrashCatalog(database, lexical), library),
        reindexer=Reindexer(database, collections, dense, tokens, spaces, embedders.default, pipeline),
        pipeline=pipeline,
        dense=dense,
        token_vectors=tokens,
        spaces=spaces,
        embedder=embedders.default,
        retriever=retriever,
        selector=selector,
        answerer=Answerer(
            retriever,
            documents,
            selector,
            Verifier(lambda: embedders.default, build_entailment(settings, leavable)),
            _writing(settings, leavable, cross_lingual=settings.embedding_model == "multilingual"),
            Limits(settings.answer_limit, settings.min_confidence),
        ),
        startup=Startup(chain, chat_chain),
        chat=chat,
        _closing=[*closing, dense.close, lambda: close_catalog(folder, database), ownership.release],
    )
    if fresh and first_run_samples and settings.samples:
        add_folder(services, SAMPLES_DIR, DEFAULT_COLLECTION)
        services.samples_added = True
    return services


def add_folder(services: Services, folder: Path, collection: str) -> str:
    """Register every file of a folder, in one job; its id."""
    files = []
    for path in sorted(folder.iterdir()):
        if path.is_file() and not path.name.startswith("."):
            with path.open("rb") as source:
                files.append(services.library.stage(source, path.name))
    job_id, _ = services.library.add(services.collections.ensure_writable(collection), files)
    return job_id


def _open_index(folder: DataFolder, dense: ChromaIndex, collections: CollectionCatalog) -> None:
    check_vectors(folder.vectors, dense)
    dense.load()
    settle(dense, collections.models())


def _budget(settings: Settings) -> Budget:
    """What the chat model is shown."""
    local = settings.llm == "local"
    return Budget(settings.evidence_budget, least=LEAST_LOCAL if local else 0.0, reach=1 if local else 2)


def _writing(settings: Settings, chat: ChatModel | None, *, cross_lingual: bool) -> Writing:
    """Who writes answers."""
    written = ModelKind.LOCAL if settings.llm == "local" else ModelKind.HOSTED
    kind = written if chat else ModelKind.EXTRACTIVE
    translator = Translator(chat, cross_lingual=cross_lingual) if chat else None
    return Writing(chat, kind, Rewriter(chat, capable=kind is ModelKind.HOSTED), translator)


def chat_of(settings: Settings) -> tuple[ChatModel | None, Step | None, Callable[[], None] | None]:
    """The configured chat model, the step that makes it ready, and what stops it."""
    if settings.llm == "extractive":
        return None, None, None
    from rag.adapters.chat.langchain_chat import LangChainChat
    from rag.adapters.chat.local_llm import LocalChatServer, prepare

    if settings.llm == "openai":
        remote = LangChainChat(
            lambda: settings.llm_base_url,
            model=settings.llm_model,
            api_key=settings.llm_api_key,
            timeout_s=settings.llm_timeout_s,
        )
        return remote, Step("chat", lambda _: remote.load(), required=False), None
    server = LocalChatServer(
        load_manifest().find(CHAT_WEIGHTS).location(settings.models_dir),
        threads=settings.threads,
        log_dir=settings.data_dir,
    )
    local = LangChainChat(
        lambda: server.base_url,
        model=LOCAL_CHAT_NAME,
        api_key=server.api_key,
        timeout_s=settings.llm_timeout_s,
        alternatives=ALTERNATIVES,
    )

    def load(report: Report) -> None:
        if not is_present(CHAT_WEIGHTS, settings.models_dir):
            report("fetching the weights, 1.1 GB; answers are quoted sentences until then")
        prepare(ensure(CHAT_WEIGHTS, settings.models_dir), report)
        report("loading")
        server.start()
        local.load()
        while not server.ready():
            if server.problem:
                raise UnavailableError(server.problem)
            time.sleep(0.1)

    return local, Step("chat", load, required=False), server.stop
