// Wires the parts of the page together.

import { listCollections } from "./api.js";
import { setUpAsk } from "./ask.js";
import { $, el, fill } from "./dom.js";
import { setUpLibrary } from "./library.js";
import { watchReadiness } from "./status.js";
import { S, formatNumber } from "./strings.js";
import { setUpUploads } from "./upload.js";

const SAMPLE = "welcome.pdf"; // examples are offered while the samples are there

function showView() {
  const name = location.hash === "#documents" ? "documents" : "ask";
  if ($(`view-${name}`).hidden) scrollTo({ top: 0, behavior: "instant" });
  for (const view of ["ask", "documents"]) $(`view-${view}`).hidden = view !== name;
  for (const link of document.querySelectorAll("[data-view]")) {
    if (link.dataset.view === name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (name === "ask") $("question").focus({ preventScroll: true });
}

let names = ["default"];
let picked = ""; // all, until a person chooses
$("collection").addEventListener("change", () => {
  picked = $("collection").value;
});

async function loadCollections() {
  try {
    const found = await listCollections();
    if (found.length) names = found;
  } catch {
    return; // asked again once the server is ready, and after each upload
  }
  const choices = names.map((name) => [name, name]);
  fill($("collection"), names.length > 1 ? [["", S.allCollections], ...choices] : choices, picked);
  fill($("filter-collection"), [["", S.all], ...choices], $("filter-collection").value);
  $("collection-names").replaceChildren(...names.map((value) => el("option", { value })));
}

function chosenCollections() {
  return $("collection").value ? [$("collection").value] : names;
}

function showLibraryState(list, filtered) {
  if (filtered) return;
  $("document-count").textContent = list.total ? formatNumber(list.total) : "";
  $("no-documents").hidden = list.total > 0;
  $("examples").hidden = !list.data.some((document) => document.filename === SAMPLE && document.status === "indexed");
}

const library = setUpLibrary({ onChange: showLibraryState });
const refresh = () => {
  library.refresh();
  loadCollections();
};
const checkReadiness = watchReadiness(refresh);
const conversation = setUpAsk({ collections: chosenCollections, onTrouble: checkReadiness });
setUpUploads({
  onStart: () => {
    location.hash = "#documents";
  },
  onChange: refresh,
});

$("examples").querySelector("ul").append(
  ...S.examples.map((question) => el("li", {}, el("button", { type: "button", lang: /\p{Script=Han}/u.test(question) ? "zh" : null, onclick: () => conversation.ask(question) }, question))),
);
addEventListener("hashchange", showView);
showView();
refresh();
document.documentElement.dataset.ready = ""; // the tests wait for it
