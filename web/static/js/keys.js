// The keyboard: single keys where nothing is being typed, Escape to close, and the sheet that tells them.

import { verdictList } from "./ask/marks.js";
import { closePanel, panelIsOpen, stepPanel } from "./ask/panel.js";
import { $ } from "./base/dom.js";
import { store, stored } from "./base/drafts.js";

const KEY = "docent.keys"; // "off": single keys do nothing, for those who speak or slip

export function setUpKeys() {
  $("verdict-list").replaceChildren(...verdictList());
  $("open-help").addEventListener("click", () => $("help").showModal());
  $("single-keys").checked = stored(KEY) !== "off";
  $("single-keys").addEventListener("change", () => store(KEY, $("single-keys").checked ? "on" : "off"));

  const single = {
    "?": () => $("help").showModal(),
    "/": () => {
      if ($("view-ask").hidden) location.hash = "#ask";
      $("question").focus();
    },
    d: () => (location.hash = "#documents"),
    n: () => citation(1),
    p: () => citation(-1),
  };

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && panelIsOpen() && !$("help").open) return closePanel();
    const typing = event.target.closest("input:not([type=checkbox]), textarea, select, dialog");
    if (typing || event.ctrlKey || event.metaKey || event.altKey || !$("single-keys").checked || !single[event.key]) return undefined;
    event.preventDefault();
    return single[event.key]();
  });
}

/** The next citation: of the panel where it is open, else of the text, from where the focus is. */
function citation(step) {
  if (panelIsOpen()) return stepPanel(step);
  const all = [...document.querySelectorAll("#thread .chip")];
  if (!all.length) return undefined;
  const at = all.indexOf(document.activeElement);
  const first = [...document.querySelectorAll("#thread > li:last-child .chip")][0] ?? all[0];
  return (at < 0 ? first : all[(at + step + all.length) % all.length]).focus();
}
