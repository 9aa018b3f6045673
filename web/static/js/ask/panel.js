// The panel beside the answer: a source on its page or in its text, the words marked, and the way to the next.

import { surroundings, wordsOf } from "./surroundings.js";
import { isDrawn, originalUrl, pictureUrl, viewUrl } from "../base/api.js";
import { $, el, narrow } from "../base/dom.js";
import { build } from "../base/nodes.js";
import { placeOf } from "../base/places.js";
import { t } from "../base/strings.js";

const AROUND = 1800; // characters shown on either side of the words

let shown = null; // {sources, index, opener, onStep}
let asText = false; // what a person chose last

export function setUpPanel() {
  $("panel-close").addEventListener("click", closePanel);
  $("panel-previous").addEventListener("click", () => stepPanel(-1));
  $("panel-next").addEventListener("click", () => stepPanel(1));
  for (const [id, text] of [["panel-page", false], ["panel-text", true]]) {
    $(id).addEventListener("click", () => {
      asText = text;
      draw();
    });
  }
  $("panel").addEventListener("keydown", (event) => {
    if (event.key === "ArrowLeft") stepPanel(-1);
    else if (event.key === "ArrowRight") stepPanel(1);
    else return;
    event.preventDefault();
  });
  narrow.addEventListener("change", () => shown && block(narrow.matches));
}

export const panelIsOpen = () => shown !== null;

/** Show one of the sources. opener gets the focus back; onStep(source) is told which one is shown. */
export function openPanel(sources, index, { opener = null, onStep = () => {} } = {}) {
  shown?.onStep(null);
  shown = { sources, index, opener, onStep };
  $("panel").hidden = false;
  $("workspace").classList.add("with-panel");
  block(narrow.matches);
  draw();
  $("panel").focus({ preventScroll: true });
}

export function closePanel() {
  if (!shown) return;
  const { opener, onStep } = shown;
  shown = null;
  onStep(null);
  $("panel").hidden = true;
  $("workspace").classList.remove("with-panel");
  block(false);
  if (opener?.isConnected) opener.focus({ preventScroll: !narrow.matches });
}

/** The next source (1) or the one before (-1), in a circle. */
export function stepPanel(step) {
  if (!shown) return;
  shown.index = (shown.index + step + shown.sources.length) % shown.sources.length;
  draw();
}

/** Where the panel covers the page, what lies under it is out of reach. */
function block(covered) {
  $("main").inert = covered;
}

function draw() {
  const { sources, index, onStep } = shown;
  const source = sources[index];
  const many = sources.length > 1;
  const paged = Boolean(source.page && isDrawn(source));
  $("panel-title").replaceChildren(source.n ? el("span", { class: "number-mark" }, String(source.n)) : "", el("span", {}, placeOf(source)));
  $("panel-place").textContent = many ? t("panel.place", { n: index + 1, all: sources.length }) : "";
  for (const id of ["panel-previous", "panel-next", "panel-place"]) $(id).hidden = !many;
  $("panel-ways").hidden = !paged;
  $("panel-page").setAttribute("aria-pressed", String(!asText));
  $("panel-text").setAttribute("aria-pressed", String(asText));
  $("panel-links").replaceChildren(
    el("a", { href: `#document/${source.document_id}` }, t("panel.document")),
    el("a", { href: viewUrl(source), target: "_blank", rel: "noopener" }, t("panel.view")),
    el("a", { href: originalUrl(source.document_id, source.filename, source.page), target: "_blank", rel: "noopener" }, paged ? t("panel.original_at", { page: source.page }) : t("panel.original")),
  );
  if (paged && !asText) drawPicture(source);
  else drawText(source);
  onStep(source);
}

function drawPicture(source) {
  const picture = el("img", { class: "page-picture", src: pictureUrl(source), alt: t("panel.picture", { page: source.page, words: wordsOf(source) }), width: 1000, height: 1294 });
  picture.addEventListener("error", () => {
    if (picture.isConnected) drawText(source); // it cannot be drawn: the text can
  });
  $("panel-body").replaceChildren(el("blockquote", {}, el("mark", {}, wordsOf(source))), picture);
  $("panel-body").scrollTop = 0;
}

async function drawText(source) {
  const body = $("panel-body");
  body.replaceChildren(el("blockquote", {}, el("mark", {}, wordsOf(source))));
  const { nodes, note } = await surroundings(source, AROUND);
  if (shown?.sources[shown.index] !== source) return;
  const text = el("div", { class: "document-text around" }, build(nodes));
  body.replaceChildren(note ? el("p", { class: "small" }, note) : "", text);
  const mark = text.querySelector("mark");
  if (mark) body.scrollTop += mark.getBoundingClientRect().top - body.getBoundingClientRect().top - body.clientHeight / 3;
}
