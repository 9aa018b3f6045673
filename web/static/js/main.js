// Wires the parts of the page together, and shows the part that the address names.

import { setUpAsk } from "./ask/ask.js";
import { setUpConversations } from "./ask/conversations.js";
import { closePanel, setUpPanel } from "./ask/panel.js";
import { setUpPreview } from "./ask/preview.js";
import { offerStarts } from "./ask/starts.js";
import { addSamples, listCollections, listDocuments } from "./base/api.js";
import { $, el, fill } from "./base/dom.js";
import { store, stored } from "./base/drafts.js";
import { formatNumber, t } from "./base/strings.js";
import { toast } from "./base/toast.js";
import { setUpKeys } from "./keys.js";
import { setUpDrop } from "./library/drop.js";
import { watchReadiness } from "./readiness.js";
import { setUpTheme } from "./theme.js";

const SAMPLE = "welcome.pdf"; // examples are offered while the samples are all there is
const SAMPLES = 6;
const VIEWS = ["ask", "documents", "document", "settings"];
const LATER = { documents: "./library/library.js", document: "./library/document.js", settings: "./settings.js" }; // fetched when first shown

const CAUTION = "docent.answers"; // how cautious a person wants answers; until they choose, as the server is set

let names = ["default"];
let picked = ""; // all, until a person chooses
$("collection").addEventListener("change", () => (picked = $("collection").value));

async function loadCollections() {
  try {
    const found = await listCollections();
    if (found.length) names = found;
  } catch {
    return; // asked again once the server is ready, and after each upload
  }
  const choices = names.map((name) => [name, name]);
  fill($("collection"), names.length > 1 ? [["", t("all_collections")], ...choices] : choices, picked);
  fill($("filter-collection"), [["", t("all")], ...choices], $("filter-collection").value);
  $("collection-names").replaceChildren(...names.map((value) => el("option", { value })));
}

/** How many documents there are, and what an empty page offers. */
async function countDocuments() {
  let all;
  let samples;
  try {
    [all, samples] = await Promise.all([listDocuments({ limit: 1 }), listDocuments({ limit: 1, q: SAMPLE, status: "indexed" })]);
  } catch {
    return;
  }
  $("document-count").textContent = all.total ? formatNumber(all.total) : "";
  $("first-run").hidden = all.total > 0;
  const own = all.total > SAMPLES || !samples.total;
  $("examples").hidden = own;
  if (own && all.total) await offerStarts();
}

const refresh = () => {
  countDocuments();
  loadCollections();
};

const checkReadiness = watchReadiness(() => {
  refresh();
  conversations.refresh();
});
const asking = setUpAsk({
  collections: () => ($("collection").value ? [$("collection").value] : names),
  answers: () => $("answers").value,
  onTrouble: checkReadiness,
  onAnswer: (conversation) => {
    const address = `#conversation/${conversation}`;
    nameWindow(viewOf());
    if (viewOf() === "ask" && !location.hash.startsWith(address)) history.replaceState(null, "", address);
    conversations.refresh();
  },
});
const conversations = setUpConversations({
  current: asking.conversation,
  onDeleted: () => (location.hash = "#ask"),
});

const loaded = new Map();
const context = {
  onChange: refresh,
  collections: () => names,
  upload: async (files) => (await module("documents")).add(files),
  trash: async () => (await module("documents")).trash,
};
const module = (view) => {
  if (!loaded.has(view)) loaded.set(view, import(LATER[view]).then((found) => found.setUp(context)));
  return loaded.get(view);
};

const route = () => location.hash.slice(1).split("/");
function viewOf() {
  const [name] = route();
  return VIEWS.includes(name) ? name : "ask";
}

async function show() {
  const [name, ...rest] = route();
  const view = viewOf();
  if (view !== "ask") closePanel();
  if ($(`view-${view}`).hidden) scrollTo({ top: 0, behavior: "instant" });
  for (const other of VIEWS) $(`view-${other}`).hidden = other !== view;
  $("workspace").dataset.view = view;
  conversations.close();
  for (const link of document.querySelectorAll("[data-view]")) {
    if (link.dataset.view === (view === "document" ? "documents" : view)) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  for (const link of document.querySelectorAll("[data-language]")) link.hash = location.hash;
  try {
    if (view !== "ask") await (await module(view)).show(...rest);
    else if (name === "conversation") await asking.resume(...rest);
    else if (asking.conversation()) asking.start();
  } catch (error) {
    if (!error.explain) console.error(error); // a mistake of ours
    toast(error.explain?.() ?? t("error.broken"));
    if (name === "conversation") history.replaceState(null, "", "#ask");
  }
  conversations.mark();
  nameWindow(view);
  if (view === "ask" && !matchMedia("(pointer: coarse)").matches) $("question").focus({ preventScroll: true });
}

const title = document.title;
function nameWindow(view) {
  const shown = view === "ask" ? $("thread").querySelector(".question") : $(`view-${view}`).querySelector("h1");
  document.title = shown?.textContent ? `${shown.textContent.slice(0, 80)} · Docent` : title;
}

for (const id of ["examples", "starts"]) $(id).addEventListener("click", (event) => event.target.closest("button") && asking.ask(event.target.textContent));
$("answers").value = stored(CAUTION) || $("answers").value;
$("answers").addEventListener("change", () => store(CAUTION, $("answers").value));
$("new-conversation").addEventListener("click", () => viewOf() === "ask" && asking.start());
$("add-samples").addEventListener("click", async () => {
  try {
    await addSamples();
    location.hash = "#documents";
  } catch (error) {
    toast(error.explain());
  }
});
setUpDrop(async (files) => {
  location.hash = "#documents";
  await context.upload(files);
});
addEventListener("hashchange", show);
setUpTheme();
setUpPanel();
setUpPreview();
setUpKeys();
refresh();
conversations.refresh();
await show();
document.documentElement.dataset.ready = ""; // the tests wait for it
