// A look at a citation without leaving the answer: while its chip is pointed at or focused, the quote in its surroundings.

import { chips } from "./marks.js";
import { surroundings, wordsOf } from "./surroundings.js";
import { $, el } from "../base/dom.js";
import { build } from "../base/nodes.js";
import { placeOf } from "../base/places.js";

const AROUND = 0; // the block in which the words stand
const DELAY_MS = 120;
const GAP = 8; // pixels between chip and preview

export function setUpPreview() {
  const preview = $("preview");
  let shownFor = null;
  let timer = 0;

  const chipOf = (event) => event.target.closest?.(".chip");
  const soon = (run) => {
    clearTimeout(timer);
    timer = setTimeout(run, DELAY_MS);
  };

  // movement of the pointer only: what a new layout brings under a resting one is not meant
  document.addEventListener("pointermove", (event) => {
    if (event.pointerType === "touch") return;
    const chip = chipOf(event);
    if (chip) chip === shownFor ? clearTimeout(timer) : soon(() => show(chip));
    else if (preview.contains(event.target)) clearTimeout(timer); // it may be pointed at itself
    else if (shownFor && document.activeElement !== shownFor) soon(hide);
  });
  document.addEventListener("focusin", (event) => {
    const chip = chipOf(event);
    if (chip?.matches(":focus-visible")) soon(() => show(chip));
    else hide();
  });
  document.addEventListener("keydown", (event) => event.key === "Escape" && hide(), true);
  document.addEventListener("click", hide);
  addEventListener("hashchange", hide);
  // its own text is scrolled to the words
  addEventListener("scroll", ({ target }) => preview.contains(target) || hide(), { passive: true, capture: true });

  function hide() {
    clearTimeout(timer);
    if (!shownFor) return;
    shownFor.removeAttribute("aria-describedby");
    shownFor = null;
    preview.hidden = true;
  }

  async function show(chip) {
    if (shownFor === chip || !chip.checkVisibility()) return;
    hide();
    const { turn, n } = chips.get(chip);
    const source = turn.citation(n);
    if (!source) return;
    shownFor = chip;
    draw(source, [{ tag: "p", children: [{ tag: "mark", children: [wordsOf(source)] }] }], chip);
    const { nodes, note } = await surroundings(source, AROUND);
    if (shownFor === chip) draw(source, nodes.filter(({ children }) => children?.[0] !== "…"), chip, note);
  }

  function draw(source, nodes, chip, note = null) {
    const text = el("div", { class: "document-text excerpt" }, build(nodes, { tools: false }));
    preview.replaceChildren(el("strong", {}, placeOf(source)), text, note ? el("p", { class: "small" }, note) : "");
    preview.hidden = false;
    const mark = text.querySelector("mark");
    if (mark) text.scrollTop = mark.getBoundingClientRect().top - text.getBoundingClientRect().top - 40;
    chip.setAttribute("aria-describedby", "preview");
    place(chip.getBoundingClientRect());
  }

  function place(at) {
    const { width, height } = preview.getBoundingClientRect();
    const left = Math.max(GAP, Math.min(at.left - 24, innerWidth - width - GAP));
    const above = at.top - height - GAP;
    preview.style.setProperty("left", `${left}px`);
    preview.style.setProperty("top", `${above > GAP ? above : at.bottom + GAP}px`);
  }
}
