// How one answer looks: its sources first, the text as it streams, and the whole of it when it is done.

import { actionsOf } from "./actions.js";
import { el, newId, say } from "./dom.js";
import { build, chip, pageOf, placeOf, VERDICTS, verdictMark } from "./marks.js";
import { openPanel } from "./panel.js";
import { formatSeconds, t } from "./strings.js";
import { wordsOf } from "./surroundings.js";

const MARK = /\[(\d{1,3})\]/;
const HELD = new Set(["verified", "misattributed"]);
const SNIPPET = 220; // characters of a source that its card shows

/** A question and its answer; `node` goes into the thread. retry(turn): asked again. */
export class Turn {
  constructor(question, { retry, announce }) {
    this.question = question;
    this.retry = retry;
    this.announce = announce;
    this.answer = null;
    this.citations = new Map();
    this.sources = []; // cited ones by number, then the others
    this.passages = [];
    this.pending = "";
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

  addToken(text) {
    if (!this.pending) requestAnimationFrame(() => this.#flush());
    this.pending += text;
  }

  addCitation(citation) {
    this.#flush();
    this.citations.set(citation.n, citation);
  }

  /** The verdict on the sentence that ends where the text ends now. */
  addVerdict({ verdict, text }) {
    this.#flush();
    this.text.append(verdictMark(verdict));
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
    if (index < 0) return;
    openPanel(this.sources, index, { opener, onStep: (source) => this.#point(source) });
  }

  #point(source) {
    for (const node of this.node.querySelectorAll(".current")) node.classList.remove("current");
    if (!source) return;
    const card = this.cards.children[this.sources.indexOf(source)];
    card?.classList.add("current");
    for (const node of this.node.querySelectorAll(`.chip[data-n="${source.n ?? ""}"]`)) node.classList.add("current");
    if (card) this.cards.scrollTo({ left: card.offsetLeft - this.cards.offsetLeft - 8 });
  }

  #flush() {
    if (!this.pending) return;
    const last = this.text.lastChild instanceof Text ? this.text.lastChild : this.text.appendChild(document.createTextNode(""));
    last.appendData(this.pending);
    this.pending = "";
    this.#markNumbers(last);
  }

  /** Turn each [n] of a text node that has a citation into a chip; others stay as they are. */
  #markNumbers(node) {
    for (let match = node.data.match(MARK), at = 0; match; match = node.data.slice(at).match(MARK)) {
      const citation = this.citations.get(Number(match[1]));
      if (!citation) {
        at += match.index + match[0].length;
        continue;
      }
      const mark = node.splitText(at + match.index);
      node = mark.splitText(match[0].length);
      mark.replaceWith(chip(this, citation));
      at = 0;
    }
  }

  #settle() {
    this.#flush();
    this.text.removeAttribute("aria-busy");
    this.after.replaceChildren();
  }

  #showAnswered() {
    const { answer } = this;
    this.#drawText();
    this.#drawSources(answer.citations.length ? t(this.passages.length ? "source.cited" : "source.cited_only", { n: answer.citations.length }) : t("source.found", { n: this.passages.length }));
    const held = answer.sentences.filter(({ verdict }) => HELD.has(verdict)).length;
    const summary = answer.sentences.length ? t("answer.groundedness", { n: answer.sentences.length, held }) : "";
    const seconds = (answer.timings?.total_ms ?? 0) / 1000;
    this.#noteUnderstanding();
    if (answer.reason === "llm_unavailable") this.after.append(el("p", { class: "small" }, t("answer.quoted")));
    if (answer.dropped?.length) this.after.append(el("p", { class: "small" }, t("answer.dropped", { n: answer.dropped.length })));
    this.after.append(el("p", { class: "small summary" }, [summary, answer.model === "extractive" ? t("answer.extractive") : answer.model, seconds ? formatSeconds(Math.max(seconds, 0.1)) : ""].filter(Boolean).join(" · ")));
    return t("answer.ready", { summary });
  }

  #showUnanswered() {
    const { answer } = this;
    const near = answer.nearest ?? [];
    if (near.length) this.passages = near;
    if (answer.reason) {
      this.text.replaceChildren(el("p", { class: "not-answered" }, answer.reason === "llm_unavailable" ? t("answer.unavailable") : t("answer.none")));
      this.#noteUnderstanding();
      this.after.append(
        el("p", {}, answer.reason === "unsupported" ? t("answer.unsupported") : this.passages.length ? t("answer.no_evidence") : t("answer.nothing_near")),
        el("ul", { class: "advice" }, ["words", "collection", "add"].map((way) => el("li", {}, way === "add" ? el("a", { href: "#documents" }, t("advice.add")) : t(`advice.${way}`)))),
      );
      this.#drawSources(this.passages.length ? t("source.nearest", { n: this.passages.length }) : t("source.found", { n: 0 }));
    } else {
      this.#drawText(); // small talk: a polite line
      this.strip.hidden = !this.passages.length;
    }
    return this.text.textContent;
  }

  #drawText() {
    const cite = (n) => (this.citations.has(n) ? chip(this, this.citations.get(n)) : `[${n}]`);
    this.text.replaceChildren(...(this.answer.rendered ? build(this.answer.rendered, cite) : [this.answer.answer]));
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
    const words = wordsOf(source);
    return el(
      "li",
      {},
      el(
        "button",
        { type: "button", class: source.n ? "card cited" : "card", title: placeOf(source), onclick: (event) => this.open({ index }, event.currentTarget) },
        el("span", { class: "card-head" }, source.n ? el("span", { class: "number-mark" }, String(source.n)) : "", el("span", { class: "file" }, source.filename ?? t("source.removed")), source.page ? el("span", { class: "page" }, pageOf(source)) : ""),
        el("span", { class: "snippet" }, words.length > SNIPPET ? `${words.slice(0, SNIPPET)}…` : words),
      ),
    );
  }
}

/** The four verdicts with what they mean, for the help sheet. */
export const verdictList = () => Object.keys(VERDICTS).map((verdict) => el("div", {}, el("dt", {}, verdictMark(verdict)), el("dd", {}, t(`verdict.${verdict}.about`))));
