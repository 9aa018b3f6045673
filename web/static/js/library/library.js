// The documents: filters, order, paging, what is still being read, and the trash, which is a list of them like any other.

import { SETTLED, stateNodes } from "./states.js";
import { setUpTrash } from "./trash.js";
import { setUpUploads } from "./upload.js";
import { deleteCollection, listDocuments } from "../base/api.js";
import { $, el, later, say, tool } from "../base/dom.js";
import { stored, store } from "../base/drafts.js";
import { formatAgo, formatBytes, formatNumber, formatTime, t } from "../base/strings.js";
import { deleteLater } from "../base/toast.js";

const LIMIT = 50;
const REFRESH_MS = 2000;
const SORT = "docent.sort";
const TRASHED = "trashed";

/** onChange(): the library is another. Returns {show, add, trash}; trash: see trash.js. */
export function setUp({ onChange }) {
  const filters = { collection: $("filter-collection"), status: $("filter-status"), q: $("filter-name"), sort: $("sort") };
  const gone = new Set(); // collections that wait to be deleted
  let page = 1;
  let timer = 0;
  let latest = 0;

  filters.sort.value = stored(SORT) ?? "-created";
  if (!filters.sort.value) filters.sort.value = "-created";
  for (const name of ["collection", "status", "sort"]) filters[name].addEventListener("change", firstPage);
  filters.sort.addEventListener("change", () => store(SORT, filters.sort.value));
  filters.status.addEventListener("change", () => history.replaceState(null, "", inTrash() ? "#documents/trash" : "#documents"));
  $("delete-collection").addEventListener("click", removeCollection);
  filters.q.addEventListener("input", later(firstPage, 200));
  $("filters").addEventListener("submit", (event) => event.preventDefault());
  $("previous-page").addEventListener("click", () => turnPage(-1));
  $("next-page").addEventListener("click", () => turnPage(1));
  const trash = setUpTrash({
    collection: () => filters.collection.value,
    onChange: () => {
      refresh();
      onChange();
    },
  });
  const uploads = setUpUploads({
    onChange: later(() => {
      refresh();
      onChange();
    }, 300),
  });

  const inTrash = () => filters.status.value === TRASHED;

  /** place: "trash", or nothing. */
  function show(place) {
    if ((place === "trash") !== inTrash()) {
      filters.status.value = place === "trash" ? TRASHED : "";
      page = 1;
    }
    return refresh();
  }

  function firstPage() {
    page = 1;
    refresh();
  }

  function turnPage(step) {
    page += step;
    refresh();
    $("filters").scrollIntoView({ block: "start" });
  }

  async function refresh() {
    clearTimeout(timer);
    const mine = (latest += 1);
    const query = { page, limit: LIMIT };
    for (const [name, field] of Object.entries(filters)) if (field.value.trim()) query[name] = field.value.trim();
    $("delete-collection").hidden = !query.collection || inTrash();
    let list;
    try {
      list = await listDocuments(query);
    } catch (error) {
      if (mine === latest) say($("library-message"), error.explain());
      return;
    }
    if (mine !== latest) return; // a later request has been sent meanwhile
    if (!list.data.length && page > 1) {
      page -= 1; // the last document of the last page was deleted
      refresh();
      return;
    }
    trash.head(inTrash(), query.q ? 0 : list.total);
    draw(list, inTrash() && !query.collection && !query.q ? "trash.none" : query.collection || query.status || query.q ? "library.no_match" : "library.none");
    const moving = list.data.some((document) => !SETTLED.has(document.status));
    if (moving && !$("view-documents").hidden) timer = setTimeout(refresh, REFRESH_MS);
  }

  function draw({ data, total, has_more: more }, nothing) {
    const body = $("library").tBodies[0];
    const focused = focusIn(body);
    const shown = data.filter(({ id, collection }) => !trash.leaving(id) && !gone.has(collection));
    body.replaceChildren(...shown.map(row));
    if (focused) [...body.querySelectorAll(`tr[data-id="${focused.id}"] :is(a, button)`)][focused.at]?.focus();
    $("library").hidden = !shown.length;
    say($("library-message"), shown.length ? "" : t(nothing));
    const from = (page - 1) * LIMIT;
    $("paging").hidden = page === 1 && !more;
    $("page-note").textContent = t("library.range", { from: from + 1, to: from + data.length, n: total });
    $("previous-page").disabled = page === 1;
    $("next-page").disabled = !more;
  }

  /** Which link or button of which row has the focus, so that the same one has it in the row that is drawn anew. */
  function focusIn(body) {
    const line = body.contains(document.activeElement) && document.activeElement.closest("tr");
    return line && { id: line.dataset.id, at: [...line.querySelectorAll("a, button")].indexOf(document.activeElement) };
  }

  function row(item) {
    const size = formatBytes(item.bytes);
    const meta = [item.pages ? t("pages", { n: item.pages }) : "", size, formatAgo(item.created_at)].filter(Boolean).join(" · ");
    return el(
      "tr",
      { class: item.status, "data-id": item.id },
      el("th", { scope: "row" }, el("a", { class: "file", href: `#document/${item.id}` }, item.filename), el("span", { class: "small block" }, item.collection), el("span", { class: "small block narrow" }, meta)),
      el("td", { class: "status-cell" }, ...stateNodes(item), item.status === TRASHED ? el("span", { class: "small block", title: formatTime(item.updated_at) }, formatAgo(item.updated_at)) : "", item.status === "failed" ? el("a", { class: "small block", href: `#document/${item.id}` }, t("library.way_out")) : ""),
      el("td", { class: "number wide" }, item.pages === null ? "" : formatNumber(item.pages)),
      el("td", { class: "number wide" }, size),
      el("td", { class: "wide small", title: formatTime(item.created_at) }, formatAgo(item.created_at)),
      el("td", { class: "number actions" }, actions(item)),
    );
  }

  function actions(item) {
    const name = item.filename;
    const act = (run) => () => {
      const node = $("library").querySelector(`tr[data-id="${item.id}"]`);
      const next = node?.nextElementSibling ?? node?.previousElementSibling;
      run(item, () => {
        node?.remove();
        (next?.querySelector("button") ?? filters.status).focus();
      });
    };
    if (item.status !== TRASHED) return tool("trash", t("library.delete", { name }), act(trash.put));
    return [tool("restore", t("library.restore", { name }), act(trash.restore)), tool("trash", t("library.delete_for_good", { name }), act(trash.remove))];
  }

  function removeCollection() {
    const name = filters.collection.value;
    filters.collection.value = "";
    gone.add(name);
    firstPage();
    deleteLater(t("library.collection_deleted", { name }), {
      remove: (options) => deleteCollection(name, options),
      restore: () => {
        gone.delete(name);
        refresh();
      },
      done: () => {
        gone.delete(name);
        refresh();
        onChange();
      },
    });
  }

  return { show, add: uploads.add, trash };
}
