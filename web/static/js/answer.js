// How one answer looks, while it streams and when it is done.

import { el } from "./dom.js";
import { sourceItem } from "./sources.js";
import { S } from "./strings.js";

const MARK = /\[(\d{1,3})\]/;
const LEADING_MARKS = /^(?:[ \t]*\[\d{1,3}\])+/;

/** A question and its answer; `node` goes into the thread. */
export class Turn {
  constructor(question) {
    this.question = question;
    this.citations = new Map(); // n -> {citation, item}
    this.note = el("p", { class: "progress-note" }, S.searching);
    this.text = el("div", { class: "answer", "aria-busy": "true" });
    this.after = el("div", { class: "after" });
    this.cited = el("ol", { class: "sources" });
    this.citedTitle = el("h3", { hidden: true }, S.cited);
    this.found = el("div", { class: "found" });
    this.node = el(
      "li",
      { class: "turn" },
      el("h2", { class: "question" }, question),
      el(
        "div",
        { class: "columns" },
        el("div", { class: "answer-column" }, this.note, this.text, this.after),
        el("div", { class: "evidence", role: "group", "aria-label": S.sourcesOf(question) }, this.citedTitle, this.cited, this.found),
      ),
    );
  }

  /** Sources reach the reader before the first word of the answer. */
  showPassages(passages) {
    this.note.textContent = passages.length ? S.writing : S.searching;
    this.found.replaceChildren(el("h3", {}, S.found(passages.length)), sourceList(passages));
  }

  addToken(text) {
    if (this.text.lastChild instanceof Text) this.text.lastChild.appendData(text);
    else this.text.append(text);
    this.#markNumbers(this.text);
  }

  addCitation(citation) {
    this.#cite(citation);
    this.#markNumbers(this.text);
  }

  /** The verdict on the sentence that ends where the text ends now. */
  addVerdict(verdict) {
    if (S.verdicts[verdict]) this.text.append(verdictMark(verdict));
  }

  /** The final answer is authoritative: everything streamed is drawn anew from it. Returns a summary to announce. */
  finish(answer) {
    this.#settle();
    for (const [n, { citation, item }] of [...this.citations]) {
      const same = ({ document_id: id, char_start: start, char_end: end }) => id === citation.document_id && start === citation.char_start && end === citation.char_end;
      if (answer.citations.some((final) => final.n === n && same(final))) continue; // stays open if it is
      item.node.remove();
      this.citations.delete(n);
    }
    this.citedTitle.hidden = true;
    for (const citation of answer.citations) this.#cite(citation);
    return answer.answered ? this.#showAnswered(answer) : this.#showUnanswered(answer);
  }

  /** action: {label, run}, the way to try again. */
  fail(message, detail, action) {
    this.#settle();
    if (this.text.textContent) this.after.append(el("p", { class: "small" }, S.interrupted));
    const box = el(
      "div",
      { class: "error", role: "alert" },
      el("p", {}, message),
      detail ? el("p", { class: "small" }, detail) : null,
      el("button", { type: "button", onclick: action.run }, action.label),
    );
    this.after.append(box);
    box.scrollIntoView({ block: "nearest" });
  }

  stop() {
    this.#settle();
    this.after.append(el("p", { class: "small" }, S.stopped));
  }

  #settle() {
    this.note.remove();
    this.text.removeAttribute("aria-busy");
    this.after.replaceChildren();
  }

  #showAnswered(answer) {
    this.text.replaceChildren(...this.#sentences(answer));
    const seen = Object.keys(S.verdicts).filter((verdict) => answer.sentences.some((sentence) => sentence.verdict === verdict));
    const held = answer.sentences.filter(({ verdict }) => verdict === "verified" || verdict === "misattributed").length;
    const summary = answer.sentences.length ? S.groundedness(held, answer.sentences.length) : "";
    const seconds = (answer.timings?.total_ms ?? 0) / 1000;
    this.#showUnderstood(answer);
    this.after.append(
      answer.dropped?.length ? el("p", { class: "small" }, S.dropped(answer.dropped.length)) : "",
      answer.reason === "llm_unavailable" ? el("p", {}, S.quoted) : "",
      el("p", { class: "small summary" }, [summary, answer.model, seconds ? S.took(seconds) : ""].filter(Boolean).join(" · ")),
      el("ul", { class: "legend small" }, seen.map((verdict) => el("li", {}, verdictMark(verdict), ` ${S.verdicts[verdict].word}: ${S.verdicts[verdict].about}`))),
    );
    this.#foldPassages(answer.retrieved ?? []);
    return S.answerReady(summary);
  }

  #showUnanswered(answer) {
    const unavailable = answer.reason === "llm_unavailable";
    const near = answer.nearest ?? [];
    const title = unavailable ? S.modelUnavailable : answer.answer;
    this.#showUnderstood(answer);
    this.text.replaceChildren(el("p", { class: unavailable ? "" : "not-answered" }, title));
    if (!answer.retrieved?.length) this.after.append(el("p", {}, S.nothingNear));
    else if (near.length && S.reasons[answer.reason]) this.after.append(el("p", {}, S.reasons[answer.reason]));
    this.found.replaceChildren(...(near.length ? [el("h3", {}, S.nearest), sourceList(near)] : []));
    return title;
  }

  /** What was asked and searched, where it is not what was typed. */
  #showUnderstood({ question, standalone_question: standalone, searched }) {
    if (standalone && standalone !== question) this.after.append(el("p", { class: "small" }, S.understood(standalone)));
    if (searched) this.after.append(el("p", { class: "small" }, S.searched(searched)));
  }

  #foldPassages(passages) {
    if (!passages.length) return;
    this.found.replaceChildren(el("details", {}, el("summary", {}, S.allFound(passages.length)), sourceList(passages)));
  }

  #sentences(answer) {
    const points = Array.from(answer.answer); // offsets count code points, not UTF-16 units
    const nodes = [];
    let at = 0;
    for (const sentence of answer.sentences) {
      if (sentence.start > at) nodes.push(this.#marked(points.slice(at, sentence.start).join("")));
      let end = Math.max(sentence.end, at);
      const trailing = points.slice(end).join("").match(LEADING_MARKS); // marks after the full stop belong to the sentence
      if (trailing) end += trailing[0].length; // ASCII only, so its units are code points
      const words = points.slice(Math.max(sentence.start, at), end).join("");
      nodes.push(el("span", { class: `sentence ${sentence.verdict}` }, this.#marked(words), "\u2060", verdictMark(sentence.verdict)));
      at = end;
    }
    if (at < points.length) nodes.push(this.#marked(points.slice(at).join("")));
    return nodes;
  }

  #marked(text) {
    const holder = document.createDocumentFragment();
    holder.append(text);
    this.#markNumbers(holder);
    return holder;
  }

  /** Turn each [n] that has a citation into a button; others stay as they are. */
  #markNumbers(holder) {
    for (let node = holder.firstChild; node; node = node.nextSibling) {
      if (!(node instanceof Text)) continue;
      for (let offset = 0; ; ) {
        const match = node.data.slice(offset).match(MARK);
        if (!match) break;
        const entry = this.citations.get(Number(match[1]));
        if (!entry) {
          offset += match.index + match[0].length;
          continue;
        }
        const mark = node.splitText(offset + match.index);
        const rest = mark.splitText(match[0].length);
        mark.replaceWith(chip(entry));
        node = rest;
        offset = 0;
      }
    }
  }

  #cite(citation) {
    this.citedTitle.hidden = false;
    if (this.citations.has(citation.n)) return;
    const item = sourceItem(citation);
    const later = [...this.citations].filter(([n]) => n > citation.n).sort(([a], [b]) => a - b)[0];
    this.cited.insertBefore(item.node, later ? later[1].item.node : null);
    this.citations.set(citation.n, { citation, item });
  }
}

function sourceList(passages) {
  return el("ol", { class: "sources" }, passages.map((passage) => sourceItem(passage).node));
}

function chip({ citation, item }) {
  const label = S.chip(citation.n, citation.filename) + (citation.page ? `, ${S.page(citation.page, citation.page_end)}` : "");
  return el("button", { type: "button", class: "chip", "aria-label": label, title: label, onclick: (event) => item.open(event.currentTarget) }, String(citation.n));
}

function verdictMark(verdict) {
  const { symbol, word, about } = S.verdicts[verdict] ?? { symbol: "", word: verdict, about: "" };
  const spoken = verdict === "verified" ? "sr" : "word";
  return el("span", { class: `verdict ${verdict}`, title: `${word}: ${about}` }, el("span", { "aria-hidden": "true" }, symbol), el("span", { class: spoken }, ` ${word}`));
}
