// A look at a citation without leaving the answer: while its chip is pointed at or focused, the quote in its surroundings.

import { $, el } from "./dom.js";
import { chips, placeOf } from "./marks.js";
import { surroundings, wordsOf } from "./surroundings.js";

const AROUND = 160;
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
  addEventListener("scroll", hide, { passive: true, capture: true });

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
    draw(source, ["", wordsOf(source), ""], chip);
    const { parts, note } = await surroundings(source, AROUND);
    if (shownFor === chip) draw(source, parts, chip, note);
  }

  function draw(source, parts, chip, note = null) {
    preview.replaceChildren(
      el("strong", {}, placeOf(source)),
      el("p", {}, parts[0], el("mark", {}, parts[1]), parts[2]),
      note ? el("p", { class: "small" }, note) : "",
    );
    preview.hidden = false;
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
