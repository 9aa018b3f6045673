// One document: its text with an outline, its pages, its chunks, where it was cited; download, replace, delete.

import { needsOtherCopy, opensWithPassword, SETTLED, stateNodes } from "./states.js";
import { getDocument, getExcerpt, getOutline, isDrawn, listChunks, listCiting, moveDocument, originalUrl, pictureUrl, retryDocument } from "../base/api.js";
import { $, el, fill, icon, newId } from "../base/dom.js";
import { build } from "../base/nodes.js";
import { pageOf } from "../base/places.js";
import { formatBytes, formatTime, t } from "../base/strings.js";
import { toast } from "../base/toast.js";

const REFRESH_MS = 1500;
const PART = 20_000; // characters of text shown at once
const LIMIT = 20; // chunks and answers at once
const TABS = ["text", "pages", "chunks", "cited"];

/** upload(files), trash(): of the library; collections(): all names. Returns {show}. */
export function setUp({ upload, trash, collections, onChange }) {
  let item = null;
  let outline = null;
  let latest = 0;
  let timer = 0;

  for (const tab of TABS) $(`tab-${tab}`).addEventListener("click", () => open(tab));
  $("tab-text").parentElement.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    const there = TABS.filter((tab) => !$(`tab-${tab}`).hidden);
    const at = there.findIndex((tab) => $(`tab-${tab}`) === document.activeElement);
    const next = there[(at + step + there.length) % there.length];
    $(`tab-${next}`).focus();
    open(next);
  });
  $("document-replace").addEventListener("click", () => $("replacement").click());
  $("replacement").addEventListener("change", () => {
    const [file] = $("replacement").files;
    $("replacement").value = "";
    if (file) replace(file);
  });
  $("document-delete").addEventListener("click", async () => {
    const { put, remove } = await trash();
    const was = trashed();
    await (was ? remove : put)(item, () => (location.hash = was ? "#documents/trash" : "#documents"));
  });
  $("document-restore").addEventListener("click", async () => {
    await (await trash()).restore(item);
    await show(item.id);
    $("document-title").focus();
  });

  const trashed = () => item.status === "trashed";

  async function show(id, place = "") {
    const mine = (latest += 1);
    clearTimeout(timer);
    if (item?.id !== id) {
      $("document-body").replaceChildren();
      $("document-outline").hidden = true;
    }
    const found = await getDocument(id);
    if (mine !== latest) return;
    item = found;
    outline = item.status === "indexed" ? await getOutline(id) : null; // it has no text yet, or never will
    if (mine !== latest) return;
    drawHead();
    if (!SETTLED.has(item.status)) timer = setTimeout(() => $("view-document").hidden || show(id, place), REFRESH_MS);
    const [tab, at] = place.split("-");
    await open(TABS.includes(tab) ? tab : "text", Number(at) || 0);
  }

  function drawHead() {
    $("document-title").textContent = item.filename;
    $("document-download").href = originalUrl(item.id, item.filename);
    $("document-replace").hidden = trashed();
    $("document-restore").hidden = !trashed();
    $("document-delete").replaceChildren(icon("trash"), ` ${t(trashed() ? "trash.for_good" : "document.delete")}`);
    const rows = [
      [t("document.collection"), collectionChoice()],
      [t("document.type"), item.media_type],
      [t("document.size"), [formatBytes(item.bytes), item.pages ? t("pages", { n: item.pages }) : "", t("chunks", { n: item.chunks })].filter(Boolean).join(" · ")],
      [t("document.added"), formatTime(item.created_at)],
    ];
    const facts = el("dl", { class: "facts" }, rows.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))), el("div", {}, el("dt", {}, t("document.status")), el("dd", {}, stateNodes(item))));
    $("document-meta").replaceChildren(facts, item.status === "failed" ? wayOut() : "");
    $("tab-pages").hidden = !(isDrawn(item) && outline?.pages.length);
    const headings = outline?.headings ?? [];
    $("document-outline").hidden = !headings.length;
    $("document-outline").replaceChildren(
      el("h2", { class: "label" }, t("document.outline")),
      el("ol", {}, headings.slice(0, 500).map(({ level, title, start }) => el("li", { class: `level-${Math.min(level, 4)}` }, el("button", { type: "button", class: "quiet", onclick: () => open("text", start) }, title)))),
    );
  }

  /** The collection it is in; another choice moves it there. */
  function collectionChoice() {
    const select = el("select", { "aria-label": t("document.collection"), disabled: trashed() });
    fill(select, [...new Set([item.collection, ...collections()])].map((name) => [name, name]), item.collection);
    select.addEventListener("change", async () => {
      try {
        item = await moveDocument(item.id, select.value);
        toast(t("document.moved", { name: item.collection }));
        onChange();
        await show(item.id);
      } catch (error) {
        select.value = item.collection;
        toast(error.explain());
      }
    });
    return select;
  }

  /** What a person can do about a file that failed: try again, with its password where one opens it, or choose another. */
  function wayOut() {
    const other = el("button", { type: "button", onclick: () => $("replacement").click() }, t("document.choose_again"));
    if (needsOtherCopy(item)) return el("div", { class: "error row" }, other);
    const locked = opensWithPassword(item);
    const id = newId("password");
    const field = el("input", { type: "password", id, autocomplete: "off", size: "16", required: true });
    const form = el("form", { class: "row" }, locked ? [el("label", { for: id }, t("upload.password")), field] : "", el("button", { type: "submit", class: "primary" }, t(locked ? "upload.open" : "retry")));
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      try {
        await retryDocument(item.id, locked ? field.value : "");
        await show(item.id);
      } catch (error) {
        toast(error.explain());
      }
    });
    return el("div", { class: "error row" }, form, other);
  }

  async function replace(file) {
    await upload([{ file, name: item.filename, collection: item.collection }]);
    location.hash = "#documents";
    onChange();
  }

  async function open(tab, at = 0) {
    for (const other of TABS) {
      $(`tab-${other}`).setAttribute("aria-selected", String(other === tab));
      $(`tab-${other}`).tabIndex = other === tab ? 0 : -1;
    }
    const body = $("document-body");
    body.setAttribute("aria-labelledby", `tab-${tab}`);
    const mine = latest;
    try {
      const nodes = await { text: () => textPart(at), pages: () => pagePicture(at || 1), chunks: () => chunkPage(at || 1), cited: () => citedPage(at || 1) }[tab]();
      if (mine !== latest) return;
      body.replaceChildren(...nodes);
      body.querySelector(".goal")?.scrollIntoView({ block: "start" });
    } catch (error) {
      body.replaceChildren(el("p", { class: "small" }, error.explain?.() ?? t("error.server")));
      if (!error.explain) toast(t("error.server"));
    }
  }

  const pager = (tab, page, last) =>
    last > 1
      ? el(
          "div",
          { class: "row paging" },
          el("button", { type: "button", disabled: page <= 1, onclick: () => open(tab, page - 1) }, t("previous")),
          el("span", { class: "small" }, t("page_of", { n: page, all: last })),
          el("button", { type: "button", disabled: page >= last, onclick: () => open(tab, page + 1) }, t("next")),
        )
      : "";

  async function textPart(offset) {
    if (!outline) return [el("p", { class: "small" }, t("document.no_text"))];
    const part = Math.floor(offset / PART);
    const start = part * PART;
    const { nodes } = await getExcerpt(item.id, { start, end: Math.min(start + PART, outline.characters) });
    const text = el("div", { class: "document-text" }, build(nodes));
    if (offset) text.querySelector(`[data-at="${offset}"]`)?.classList.add("goal");
    const last = Math.ceil(outline.characters / PART);
    const turn = last > 1 ? el("div", { class: "row paging" }, el("button", { type: "button", disabled: part < 1, onclick: () => open("text", start - PART) }, t("previous")), el("span", { class: "small" }, t("part_of", { n: part + 1, all: last })), el("button", { type: "button", disabled: part + 1 >= last, onclick: () => open("text", start + PART) }, t("next"))) : "";
    return [text, turn];
  }

  async function pagePicture(page) {
    const picture = el("img", { class: "page-picture", src: pictureUrl({ document_id: item.id, page }), alt: t("document.page_picture", { page, name: item.filename }), width: 1000, height: 1294 });
    return [pager("pages", page, outline.pages.length), picture];
  }

  async function chunkPage(page) {
    const { data, total } = await listChunks(item.id, { page, limit: LIMIT });
    if (!total) return [el("p", { class: "small" }, t("document.no_chunks"))];
    const rows = data.map((chunk, index) => {
      const id = newId("chunk");
      const where = [t("document.chunk", { n: (page - 1) * LIMIT + index + 1 }), pageOf(chunk), t("document.offsets", { from: chunk.char_start, to: chunk.char_end })].filter(Boolean).join(" · ");
      return el("li", { class: "box", "aria-labelledby": id }, el("p", { class: "small", id }, where), chunk.heading ? el("p", { class: "label" }, chunk.heading) : "", el("p", { class: "pre" }, chunk.text));
    });
    return [el("ol", { class: "chunks" }, rows), pager("chunks", page, Math.ceil(total / LIMIT))];
  }

  async function citedPage(page) {
    const { data, total } = await listCiting(item.id, { page, limit: LIMIT });
    if (!total) return [el("p", { class: "small" }, t("document.never_cited"))];
    const rows = data.map((answer) => el("li", { class: "box" }, el("a", { href: `#conversation/${answer.conversation_id}/${answer.answer_id}` }, answer.question), el("p", { class: "small" }, [formatTime(answer.created_at), t("document.spans", { n: answer.spans.length })].join(" · "))));
    return [el("ol", { class: "chunks" }, rows), pager("cited", page, Math.ceil(total / LIMIT))];
  }

  return { show };
}
