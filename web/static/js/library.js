// The table of documents: paging, filters, progress of what is still being read, deletion.

import { deleteDocument, listDocuments, originalUrl } from "./api.js";
import { $, el } from "./dom.js";
import { formatBytes, formatNumber, S } from "./strings.js";

const LIMIT = 50;
const REFRESH_MS = 2000;
const SETTLED = new Set(["indexed", "failed", "cancelled", "unchanged"]);

/** onChange(list): called with each page of documents received. Returns {refresh}. */
export function setUpLibrary({ onChange }) {
  const filters = { collection: $("filter-collection"), q: $("filter-name") };
  let page = 1;
  let timer = 0;
  let latest = 0;

  filters.collection.addEventListener("change", firstPage);
  filters.q.addEventListener("input", firstPage);
  $("filters").addEventListener("submit", (event) => event.preventDefault());
  $("previous-page").addEventListener("click", () => turnPage(-1));
  $("next-page").addEventListener("click", () => turnPage(1));

  function firstPage() {
    page = 1;
    refresh();
  }

  function turnPage(step) {
    page += step;
    refresh();
    $("documents-title").scrollIntoView();
  }

  async function refresh() {
    clearTimeout(timer);
    const mine = (latest += 1);
    const query = { page, limit: LIMIT, collection: filters.collection.value, q: filters.q.value.trim() };
    for (const name of ["collection", "q"]) if (!query[name]) delete query[name];
    const filtered = Boolean(query.collection || query.q);
    let list;
    try {
      list = await listDocuments(query);
    } catch (error) {
      if (mine === latest) showMessage(error.explain());
      return;
    }
    if (mine !== latest) return; // a later request has been sent meanwhile
    if (!list.data.length && page > 1) {
      page -= 1; // the last document of the last page was deleted
      refresh();
      return;
    }
    draw(list, filtered);
    onChange(list, filtered);
    if (list.data.some((document) => !SETTLED.has(document.status))) timer = setTimeout(refresh, REFRESH_MS);
  }

  function draw({ data, total, limit, has_more: more }, filtered) {
    const body = $("library").tBodies[0];
    const focused = document.activeElement?.dataset?.document;
    body.replaceChildren(...data.map(row));
    if (focused) [...body.querySelectorAll("button")].find((button) => button.dataset.document === focused)?.focus();
    $("library").hidden = !data.length;
    showMessage(data.length ? "" : filtered ? S.noMatches : S.noDocuments);
    const from = (page - 1) * (limit ?? LIMIT);
    $("paging").hidden = page === 1 && !more;
    $("page-note").textContent = S.range(from + 1, from + data.length, total);
    $("previous-page").disabled = page === 1;
    $("next-page").disabled = !more;
  }

  function row(document) {
    const size = formatBytes(document.bytes);
    return el(
      "tr",
      { class: document.status },
      el(
        "th",
        { scope: "row" },
        el("a", { class: "file", href: originalUrl(document.id, document.filename), target: "_blank", rel: "noopener" }, document.filename),
        el("span", { class: "small block" }, document.collection),
        el("span", { class: "small block narrow" }, S.meta(document.pages, document.chunks, size)),
      ),
      el("td", { class: "status-cell" }, ...statusNodes(document)),
      el("td", { class: "number wide" }, document.pages === null ? "" : formatNumber(document.pages)),
      el("td", { class: "number wide" }, formatNumber(document.chunks)),
      el("td", { class: "number wide" }, size),
      el("td", { class: "number" }, el("button", { type: "button", class: "quiet", "data-document": document.id, "aria-label": S.removeNamed(document.filename), onclick: () => confirmRemoval(document) }, S.remove)),
    );
  }

  function confirmRemoval(document) {
    const dialog = $("confirm-delete");
    $("confirm-text").textContent = S.confirmRemove(document.filename);
    dialog.returnValue = "keep";
    dialog.onclose = async () => {
      if (dialog.returnValue !== "delete") return;
      try {
        await deleteDocument(document.id);
        await refresh();
        showMessage(S.removed(document.filename));
      } catch (error) {
        showMessage(error.explain());
      }
    };
    dialog.showModal();
  }

  return { refresh };
}

function showMessage(text) {
  $("library-message").textContent = text;
}

/** The state of a document in words, with a bar while it moves and the reason where it failed. */
export function statusNodes({ status, progress, error, warnings = [] }) {
  const nodes = [el("span", { class: `state ${status}` }, S.statuses[status] ?? status)];
  if (!SETTLED.has(status) && progress?.total) {
    nodes.push(" ", el("span", { class: "small" }, `${formatNumber(progress.done)} / ${formatNumber(progress.total)}`));
    nodes.push(el("progress", { max: progress.total, value: progress.done, "aria-label": S.statuses[status] }));
  }
  if (error) nodes.push(el("span", { class: "small block error-text" }, error.message));
  for (const warning of warnings) nodes.push(el("span", { class: "small block" }, warning));
  return nodes;
}
