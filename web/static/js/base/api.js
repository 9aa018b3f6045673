// The REST API, version 1: requests, and errors in plain words.

import { formatDuration, language, t, tOr } from "./strings.js";

const PREFIX = "/api/v1";

/** status 0 means that no answer came at all; retryAfter is in seconds or null. */
export class ApiError extends Error {
  constructor(status, { code = "", message = "", request_id: requestId = "" } = {}, retryAfter = null) {
    super(message);
    Object.assign(this, { status, code, requestId, retryAfter });
  }

  /** Whether the same request may succeed later. */
  get temporary() {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }

  /** What a person should read. */
  explain() {
    const wait = this.retryAfter ? ` ${t("error.wait", { time: formatDuration(this.retryAfter) })}` : "";
    if (this.status === 0) return t("error.network");
    if (this.status === 401) return t("error.unauthorized");
    if (this.status === 429) return t("error.busy") + wait;
    if (this.status === 503) return (this.code === "loading" ? t("error.loading") : reason(this, t("error.unavailable"))) + wait;
    return reason(this, t("error.server"));
  }
}

/**
 * The reason of a failure {code, message}. The server says it best, in English, unless it names a field of the API, in backticks,
 * to a person who has none; there and in other languages the code has a text of ours.
 */
export const reason = ({ code, message }, other = "") => (language === "en" && !message?.includes("`") && message) || tOr(`error.code.${code}`, message || other);

function errorFrom(status, text, retryAfter) {
  let body = {};
  try {
    body = JSON.parse(text).error ?? {};
  } catch {
    // a proxy's HTML page, say: the status alone has to do
  }
  const seconds = Number.parseInt(retryAfter ?? "", 10);
  if (status === 401 && document.documentElement.dataset.login) location.assign(document.documentElement.dataset.login);
  return new ApiError(status, body, Number.isNaN(seconds) ? null : Math.max(seconds, 1));
}

const csrf = document.querySelector("meta[name=csrf]")?.content;
const guarded = () => (csrf ? { "X-CSRF-Token": csrf } : {});

/** The Response, or an ApiError; an abort by the caller passes through as it is. */
export async function send(path, { method = "GET", json, signal, accept = "application/json", keepalive = false } = {}) {
  const headers = { Accept: accept, ...(method === "GET" ? {} : guarded()) };
  if (json !== undefined) headers["Content-Type"] = "application/json";
  let response;
  try {
    const body = json === undefined ? undefined : JSON.stringify(json);
    response = await fetch(PREFIX + path, { method, headers, body, signal, keepalive });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(0);
  }
  if (!response.ok) throw errorFrom(response.status, await response.text(), response.headers.get("Retry-After"));
  return response;
}

const id = encodeURIComponent;
const getJson = async (path, query) => (await send(path + (query ? `?${new URLSearchParams(query)}` : ""))).json();
const sendJson = async (path, method, json) => (await send(path, { method, json })).json();

export const listDocuments = (query) => getJson("/documents", query);
export const getDocument = (document) => getJson(`/documents/${id(document)}`);
export const getOutline = (document) => getJson(`/documents/${id(document)}/outline`);
export const getExcerpt = (document, query) => getJson(`/documents/${id(document)}/excerpt`, query);
export const listChunks = (document, query) => getJson(`/documents/${id(document)}/chunks`, query);
export const listCiting = (document, query) => getJson(`/documents/${id(document)}/answers`, query);
export const deleteDocument = (document, options = {}) => send(`/documents/${id(document)}`, { method: "DELETE", ...options });
export const trashDocument = (document) => sendJson(`/documents/${id(document)}/trash`, "POST");
export const restoreDocument = (document) => sendJson(`/documents/${id(document)}/restore`, "POST");
export const emptyTrash = (collection) => sendJson(`/trash${collection ? `?${new URLSearchParams({ collection })}` : ""}`, "DELETE");
export const moveDocument = (document, collection) => sendJson(`/documents/${id(document)}`, "PATCH", { collection });
export const retryDocument = (document, password) => sendJson(`/documents/${id(document)}/retry`, "POST", password ? { password } : {});
export const deleteCollection = (name, options = {}) => send(`/collections/${id(name)}`, { method: "DELETE", ...options });
export const getJob = (job) => getJson(`/jobs/${id(job)}`);
export const retryJob = (job) => sendJson(`/jobs/${id(job)}/retry`, "POST");
export const addSamples = () => sendJson("/samples", "POST");
export const getStatus = () => getJson("/status");
export const listConversations = (query) => getJson("/conversations", query);
export const listMessages = (conversation) => getJson(`/conversations/${id(conversation)}/messages`, { rendered: true });
export const renameConversation = (conversation, title) => sendJson(`/conversations/${id(conversation)}`, "PATCH", { title });
export const deleteConversation = (conversation, options = {}) => send(`/conversations/${id(conversation)}`, { method: "DELETE", ...options });
export const rate = (answer, rating, comment) => sendJson(`/answers/${id(answer)}/feedback`, "POST", { rating, comment: comment || null });
export const listCollections = async () => (await getJson("/collections")).data.map(({ name }) => name);

const documentUrl = (document) => `${PREFIX}/documents/${id(document)}`;
export const isPdf = ({ filename, media_type: type }) => (type ? type === "application/pdf" : /\.pdf$/i.test(filename));
/** Whether its pages can be drawn: a PDF, or a photograph. */
export const isDrawn = ({ filename, media_type: type }) => isPdf({ filename, media_type: type }) || (type ? type.startsWith("image/") : /\.(png|jpe?g|tiff?|webp)$/i.test(filename));
export const originalUrl = (document, filename, page) => `${documentUrl(document)}/content${page && isPdf({ filename }) ? `#page=${page}` : ""}`;
const span = ({ char_start: start, char_end: end }) => (end ? `highlight=${start}-${end}` : "");

/** A page as a picture, and the document's text as a page, each with the words marked. */
export const pictureUrl = (cited) => `${documentUrl(cited.document_id)}/pages/${cited.page}.png?${span(cited)}`;
export const viewUrl = (cited) => `${documentUrl(cited.document_id)}/view?${span(cited)}#cited`;

/** Send one file; fetch reports no progress of uploads, XMLHttpRequest does. onProgress gets bytes; returns {promise, abort}. */
export function uploadFile(file, { name, collection, password }, onProgress) {
  const request = new XMLHttpRequest();
  const promise = new Promise((resolve, reject) => {
    const form = new FormData();
    form.append("collection", collection);
    if (password) form.append("password", password);
    form.append("file", file, name);
    request.open("POST", `${PREFIX}/documents`);
    for (const [header, value] of Object.entries({ Accept: "application/json", ...guarded() })) request.setRequestHeader(header, value);
    request.upload.addEventListener("progress", (event) => event.lengthComputable && onProgress(Math.min(event.loaded, file.size)));
    request.addEventListener("error", () => reject(new ApiError(0)));
    request.addEventListener("abort", () => reject(new ApiError(0, { code: "cancelled" })));
    request.addEventListener("load", () => {
      if (request.status < 300) resolve(JSON.parse(request.responseText));
      else reject(errorFrom(request.status, request.responseText, request.getResponseHeader("Retry-After")));
    });
    request.send(form);
  });
  return { promise, abort: () => request.abort() };
}
