// How one answer looks: its sources first, the text as it streams, and the whole of it when it is done.

import { actionsOf } from "./actions.js";
import { chip, verdictMark } from "./marks.js";
import { openPanel } from "./panel.js";
import { glanceOf } from "./surroundings.js";
import { $, el, newId, say } from "../base/dom.js";
import { patch } from "../base/nodes.js";
import { pageOf, placeOf } from "../base/places.js";
import { formatSeconds, t } from "../base/strings.js";

const HELD = new Set(["verified", "misattributed"]);
const SNIPPET = 220; // characters of a source that its card shows

/** A question and its answer; `node` goes into the thread. retry(turn, answers): asked again, as cautiously as that says. */
export class Turn {
  constructor(question, { retry, announce }) {
    this.question = question;
    this.retry = retry;
    this.announce = announce;
    this.answer = null;
    this.citations = new Map();
    this.sources = []; // cited ones by number, then the others
    this.passages = [];
    this.nodes = []; // the answer as the server last told it
    this.drawn = this.nodes; // and as it is shown
    const id = newId("sources");
    this.title = el("h3", { class: "label", id }, t("ask.searching"));
    this.cards = el("ol", { class: "cards", tabindex: "0", "aria-labelledby": id });
    this.text = el("div", { class: "answer", "aria-busy": "true" });
    this.after = el("div", { class: "after" });
    this.strip = el("div", { class: "strip" }, this.title, this.cards);
    this.node = el("li", { class: "turn" }, el("h2", { class: "question" }, question), this.strip, this.text, this.after);
  }

  citation(n) {
    return this.citations.get(n);
  }

  /** Sources reach the reader before the first word of the answer. */
  showPassages(passages) {
    this.passages = passages;
    this.#drawSources(t("source.found", { n: passages.length }));
  }

  /** What has been written so far: the first `keep` blocks are as they were. */
  addRendering({ keep, nodes }) {
    if (this.nodes === this.drawn) requestAnimationFrame(() => this.#draw());
    this.nodes = [...this.nodes.slice(0, keep), ...nodes];
  }

  addCitation(citation) {
    this.citations.set(citation.n, citation);
  }

  /** A sentence was checked; it is read out. */
  addVerdict({ text }) {
    this.announce(text.replace(/\[\d+\]/g, ""));
  }

  /** The final answer is authoritative: what was streamed is drawn anew from it. Returns a summary to announce. */
  finish(answer) {
    this.#settle();
    this.answer = answer;
    this.citations = new Map(answer.citations.map((citation) => [citation.n, citation]));
    this.node.id = `answer-${answer.id}`;
    const summary = answer.answered ? this.#showAnswered() : this.#showUnanswered();
    this.after.append(actionsOf(this));
    return summary;
  }

  /** action: {label, run}, the way to try again. */
  fail(message, detail, action) {
    this.#settle();
    this.strip.hidden = !this.passages.length; // nothing is searched any more
    if (this.text.textContent) this.after.append(el("p", { class: "small" }, t("ask.interrupted")));
    const box = el("div", { class: "error", role: "alert" }, el("p", {}, message), detail ? el("p", { class: "small" }, detail) : null, el("button", { type: "button", onclick: action.run }, action.label));
    this.after.append(box);
    box.scrollIntoView({ block: "nearest" });
  }

  stop() {
    this.#settle();
    this.strip.hidden = !this.passages.length;
    this.after.append(el("p", { class: "small" }, t("ask.stopped")), el("button", { type: "button", onclick: () => this.retry(this) }, t("retry")));
  }

  /** Open a source in the panel: by its citation's number, or as the card at an index. */
  open({ n, index = this.sources.findIndex((source) => source.n === n) }, opener) {
    const cited = [...this.citations.values()];
    // while the answer is written, its sources are not in order yet: those that it has cited so far are
    const sources = index < 0 ? cited : this.sources;
    const at = index < 0 ? cited.findIndex((source) => source.n === n) : index;
    if (at < 0) return;
    openPanel(sources, at, { opener, onStep: (source) => this.#point(source) });
  }

  #point(source) {
    for (const node of this.node.querySelectorAll(".current")) node.classList.remove("current");
    if (!source) return;
    const card = this.cards.children[this.sources.indexOf(source)];
    card?.classList.add("current");
    for (const node of this.node.querySelectorAll(`.chip[data-n="${source.n ?? ""}"]`)) node.classList.add("current");
    if (card) this.cards.scrollTo({ left: card.offsetLeft - this.cards.offsetLeft - 8 });
  }

  #draw() {
    const cite = (n) => (this.citations.has(n) ? chip(this, this.citations.get(n)) : `[${n}]`);
    const wanted = this.nodes;
    patch(this.text, this.drawn, wanted, { cite, verdict: verdictMark });
    this.drawn = wanted;
  }

  #settle() {
    this.#draw();
    this.text.removeAttribute("aria-busy");
    this.after.replaceChildren();
  }

  #showAnswered() {
    const { answer } = this;
    const doubtful = answer.certainty === "low";
    if (doubtful && answer.nearest?.length) this.passages = answer.nearest;
    this.#drawText();
    const near = this.passages.length;
    const cited = answer.citations.length;
    this.#drawSources(cited ? t(near ? (doubtful ? "source.near" : "source.cited") : "source.cited_only", { n: cited }) : t("source.found", { n: near }));
    if (doubtful) this.after.append(el("p", { class: "caveat", role: "note" }, el("strong", {}, t("certainty.low")), " ", t("certainty.low.about")));
    const held = this.#count(...HELD);
    const consistent = this.#count("consistent");
    const claims = this.#count("unsupported");
    const summary = [
      answer.sentences.length ? t("answer.groundedness", { n: answer.sentences.length, held }) : "",
      consistent ? t("answer.consistent", { n: consistent }) : "",
    ].filter(Boolean).join(" · ");
    const seconds = (answer.timings?.total_ms ?? 0) / 1000;
    this.#noteUnderstanding();
    if (answer.reason === "llm_unavailable") this.after.append(el("p", { class: "small" }, t("answer.quoted")));
    if (claims) this.after.append(el("p", { class: "small claims" }, t("answer.claims", { n: claims })));
    if (answer.dropped?.length) this.after.append(el("p", { class: "small" }, t("answer.dropped", { n: answer.dropped.length })));
    this.after.append(el("p", { class: "small summary" }, [summary, answer.model === "extractive" ? t("answer.extractive") : answer.model, seconds ? formatSeconds(Math.max(seconds, 0.1)) : ""].filter(Boolean).join(" · ")));
    return t("answer.ready", { summary: [doubtful ? `${t("certainty.low")}.` : "", summary].filter(Boolean).join(" ") });
  }

  #count(...verdicts) {
    return this.answer.sentences.filter(({ verdict }) => verdicts.includes(verdict)).length;
  }

  /** The sentence that declines, the passages that come nearest below it, and what may help. */
  #showUnanswered() {
    const { answer } = this;
    if (answer.nearest?.length) this.passages = answer.nearest;
    if (!answer.reason) {
      this.#drawText(); // small talk: a polite line
      this.strip.hidden = !this.passages.length;
      return this.text.textContent;
    }
    const words = answer.reason === "llm_unavailable" ? t("answer.unavailable") : answer.answer || t("answer.none");
    this.text.replaceChildren(el("p", { class: "not-answered" }, words));
    this.after.before(this.strip);
    this.strip.classList.add("nearest");
    this.strip.hidden = !this.passages.length;
    const near = t(answer.reason === "unsupported" ? "answer.unsupported" : "answer.no_evidence");
    if (this.passages.length) this.#drawSources(near);
    else this.after.append(el("p", {}, t("answer.nothing_near")));
    this.#noteUnderstanding();
    this.after.append(el("ul", { class: "advice" }, this.#advice().map((way) => el("li", {}, way))));
    return [words, this.passages.length ? near : ""].filter(Boolean).join(" ");
  }

  #advice() {
    const model = this.answer.model && this.answer.model !== "extractive";
    return [
      t("advice.words"),
      $("collection").value && $("collection").length > 1 ? t("advice.collection") : "",
      el("a", { href: "#documents" }, t("advice.add")),
      model && $("answers").value !== "open" ? el("button", { type: "button", class: "as-link", onclick: () => this.retry(this, "open") }, t("advice.open")) : "",
    ].filter(Boolean);
  }

  #drawText() {
    this.nodes = this.answer.rendered ?? [{ tag: "p", children: [this.answer.answer] }];
    this.#draw();
    this.text.classList.add("done");
  }

  /** What was asked and searched, where it is not what was typed. */
  #noteUnderstanding() {
    const { question, standalone_question: standalone, searched } = this.answer;
    if (standalone && standalone !== question) this.after.append(el("p", { class: "small" }, t("answer.understood", { question: standalone })));
    if (searched) this.after.append(el("p", { class: "small" }, t("answer.searched", { query: searched })));
  }

  /** The cards keep their height, so that nothing below them moves. */
  #drawSources(title) {
    const cited = [...this.citations.values()].sort((a, b) => a.n - b.n);
    const covered = (passage) => cited.some((c) => c.document_id === passage.document_id && c.char_start >= passage.char_start && c.char_end <= passage.char_end);
    this.sources = [...cited, ...this.passages.filter((passage) => !covered(passage))];
    say(this.title, title);
    this.cards.replaceChildren(...this.sources.map((source, index) => this.#card(source, index)));
  }

  #card(source, index) {
    const words = glanceOf(source);
    return el(
      "li",
      {},
      el(
        "button",
        { type: "button", class: source.n ? "card cited" : "card", title: placeOf(source), onclick: (event) => this.open({ index }, event.currentTarget) },
        el("span", { class: "card-head" }, source.n ? el("span", { class: "number-mark" }, String(source.n)) : "", el("span", { class: "file" }, source.filename ?? t("source.removed")), source.page ? el("span", { class: "page" }, pageOf(source)) : ""),
        source.heading ? el("span", { class: "heading" }, source.heading) : "",
        el("span", { class: "snippet" }, words.length > SNIPPET ? `${words.slice(0, SNIPPET)}…` : words),
      ),
    );
  }
}
