// The REST API, version 1: requests, and errors in plain words.

import { S } from "./strings.js";

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
    const wait = this.retryAfter ? ` ${S.waitFor(this.retryAfter)}` : "";
    if (this.status === 0) return S.errors.network;
    if (this.status === 401) return S.errors.unauthorized;
    if (this.status === 429) return S.errors.busy + wait;
    if (this.status === 503) return (this.code === "loading" ? S.errors.loading : this.message || S.errors.unavailable) + wait;
    return this.message || S.errors.server;
  }
}

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

/** The Response, or an ApiError; an abort by the caller passes through as it is. */
export async function send(path, { method = "GET", json, signal, accept = "application/json" } = {}) {
  const headers = { Accept: accept };
  if (json !== undefined) headers["Content-Type"] = "application/json";
  let response;
  try {
    const body = json === undefined ? undefined : JSON.stringify(json);
    response = await fetch(PREFIX + path, { method, headers, body, signal });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(0);
  }
  if (!response.ok) throw errorFrom(response.status, await response.text(), response.headers.get("Retry-After"));
  return response;
}

const getJson = async (path) => (await send(path)).json();
export const listDocuments = (query) => getJson(`/documents?${new URLSearchParams(query)}`);
export const deleteDocument = (id) => send(`/documents/${encodeURIComponent(id)}`, { method: "DELETE" });
export const getJob = (id) => getJson(`/jobs/${encodeURIComponent(id)}`);

export async function listCollections() {
  const body = await getJson("/collections");
  return (Array.isArray(body) ? body : (body.data ?? body.collections ?? [])).map((collection) => collection.name);
}

/** The document's text in code points [start, end). */
export async function documentText(id, start, end) {
  const response = await send(`/documents/${encodeURIComponent(id)}/text?start=${start}&end=${end}`, { accept: "text/plain" });
  return response.text();
}

export function originalUrl(id, filename, page) {
  const fragment = page && /\.pdf$/i.test(filename) ? `#page=${page}` : "";
  return `${PREFIX}/documents/${encodeURIComponent(id)}/content${fragment}`;
}

const span = ({ char_start: start, char_end: end }) => `highlight=${start}-${end}`;
const documentUrl = (id) => `${PREFIX}/documents/${encodeURIComponent(id)}`;

/** The cited page as a picture, and the document's text as a page, each with the words marked. */
export const pictureUrl = (cited) => `${documentUrl(cited.document_id)}/pages/${cited.page}.png?${span(cited)}`;
export const viewUrl = (cited) => `${documentUrl(cited.document_id)}/view?${span(cited)}#cited`;

/** Send one file; fetch reports no progress of uploads, XMLHttpRequest does. onProgress gets 0..1. */
export function uploadFile(file, collection, onProgress) {
  return new Promise((resolve, reject) => {
    const form = new FormData();
    form.append("collection", collection);
    form.append("file", file, file.name);
    const request = new XMLHttpRequest();
    request.open("POST", `${PREFIX}/documents`);
    request.setRequestHeader("Accept", "application/json");
    request.upload.addEventListener("progress", (event) => event.lengthComputable && onProgress(event.loaded / event.total));
    request.addEventListener("error", () => reject(new ApiError(0)));
    request.addEventListener("load", () => {
      if (request.status < 300) resolve(JSON.parse(request.responseText));
      else reject(errorFrom(request.status, request.responseText, request.getResponseHeader("Retry-After")));
    });
    request.send(form);
  });
}
