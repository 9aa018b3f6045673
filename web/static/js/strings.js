// Every text that the scripts show. Texts of the page itself stand in templates/index.html.
// A translation is another object of this shape.

const number = new Intl.NumberFormat("en");
const plural = (n, one, many) => `${number.format(n)} ${n === 1 ? one : many}`;

export const S = {
  // asking
  searching: "Searching the documents…",
  writing: "Writing…",
  stopped: "Stopped. What stands here was not checked.",
  interrupted: "What stands here was not checked.",
  retry: "Try again",
  found: (n) => (n ? `${plural(n, "passage", "passages")} found` : "No passage found"),
  allFound: (n) => `All ${plural(n, "passage", "passages")} found`,
  cited: "Cited passages",
  nearest: "The nearest passages",
  sourcesOf: (question) => `Sources for: ${question}`,
  understood: (question) => `Asked as: ${question}`,
  searched: (query) => `Searched for: ${query}`,
  dropped: (count) => `${count} ${count === 1 ? "sentence was" : "sentences were"} left out, because no source supports ${count === 1 ? "it" : "them"}.`,
  groundedness: (held, all) => `${number.format(held)} of ${plural(all, "sentence", "sentences")} found in the documents`,
  answerReady: (summary) => `Answer ready. ${summary}`,
  notAnswered: "The documents do not answer this.",
  reasons: {
    no_evidence: "No passage comes close enough to the question. These are the nearest ones.",
    unsupported: "A draft was written, but its sentences could not be verified in the documents, so it is not shown. These are the nearest passages.",
  },
  modelUnavailable: "The language model is not available; these are the passages themselves.",
  quoted: "The language model is not available; these are sentences quoted from the documents.",
  nothingNear: "There is no passage near it either.",
  took: (seconds) => `${seconds.toFixed(1)} s`,
  verdicts: {
    verified: { symbol: "✓", word: "verified", about: "the cited passage says this" },
    misattributed: { symbol: "⇄", word: "misattributed", about: "the model cited another passage; the number leads to the right one" },
    unsupported: { symbol: "?", word: "unsupported", about: "the citation did not hold and was removed" },
    uncited: { symbol: "○", word: "uncited", about: "no citation was given, and no passage was found for it" },
  },

  // sources
  page: (from, to) => (to && to !== from ? `p. ${from}–${to}` : `p. ${from}`),
  chip: (n, filename) => `Citation ${n}: ${filename}`,
  original: "Open the original",
  inDocument: "Read it in the whole text",
  pictureOf: (page) => `Page ${page} with the quoted words marked`,
  originalAt: (page) => `Open the original at page ${page}`,
  loadingText: "Fetching the text around it…",
  changed: "The document has changed since this answer; the words that were cited are shown.",
  gone: "The document is no longer in the library; the words that were cited are shown.",

  // errors
  errors: {
    network: "The connection to Docent was lost. Is the server running?",
    loading: "Docent is still loading its models.",
    unavailable: "A part of Docent does not answer at the moment.",
    busy: "Docent has too many requests at once.",
    unauthorized: "You are signed out. Your question is kept; reload the page to sign in.",
    server: "Something went wrong on the server.",
  },
  waitFor: (seconds) => `Try again in about ${plural(seconds, "second", "seconds")}.`,
  requestId: (id) => `Request ${id}`,

  // readiness
  noServer: "The server does not answer. Trying again…",
  parts: {
    catalog: { loading: "Opening the catalog…", failed: "The catalog could not be opened" },
    embedder: { loading: "Loading the embedding model…", failed: "The embedding model could not be loaded" },
    index: { loading: "Opening the search index…", failed: "The search index could not be opened" },
    chat: {
      loading: "The answering model is still arriving; answers are quoted sentences until then.",
      failed: "The answering model could not be started; answers are quoted sentences",
    },
  },

  // library
  allCollections: "All collections",
  all: "All",
  statuses: {
    queued: "Waiting",
    parsing: "Reading",
    chunking: "Splitting",
    embedding: "Indexing",
    indexed: "Ready",
    failed: "Failed",
    cancelled: "Cancelled",
    unchanged: "Already here, unchanged",
  },
  noDocuments: "No documents yet.",
  noMatches: "No document matches.",
  range: (from, to, total) => `${number.format(from)}–${number.format(to)} of ${number.format(total)}`,
  remove: "Delete",
  removeNamed: (filename) => `Delete ${filename}`,
  confirmRemove: (filename) => `“${filename}” and everything found in it will be gone for good.`,
  removed: (filename) => `${filename} is deleted.`,
  meta: (pages, chunks, size) => [pages ? plural(pages, "page", "pages") : "", plural(chunks, "chunk", "chunks"), size].filter(Boolean).join(" · "),

  // uploads
  waiting: "Waiting to be sent",
  sending: (percent) => `Sending, ${percent} %`,
  received: "Received",
  done: (chunks) => `Ready, ${plural(chunks, "chunk", "chunks")}`,
  tooLarge: (size, limit) => `${size} is more than this server accepts (${limit} MiB).`,
  emptyFile: "The file is empty.",

  examples: [
    "What do the four verdicts mean?",
    "Which port does Docent listen on by default?",
    "删除文档之后，数据还会保留吗？",
  ],
};

export function formatBytes(bytes) {
  const units = ["B", "kB", "MB", "GB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value.toFixed(value < 10 && unit > 0 ? 1 : 0)} ${units[unit]}`;
}

export const formatNumber = (n) => number.format(n);
