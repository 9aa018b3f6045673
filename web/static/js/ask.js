// The question form and the conversation: one question at a time, streamed, stoppable, never lost.

import { ApiError, send } from "./api.js";
import { Turn } from "./answer.js";
import { $ } from "./dom.js";
import { readEvents } from "./sse.js";
import { S } from "./strings.js";

const SILENCE_MS = 45_000; // the server pings every 15 s; after three missed pings the connection is gone
const DRAFT = "docent.draft";

/** collections(): names chosen to be asked. onTrouble(): called when the server did not answer. */
export function setUpAsk({ collections, onTrouble }) {
  const field = $("question");
  let conversation = null;
  let running = null;

  field.value = sessionStorage.getItem(DRAFT) ?? field.value;
  field.addEventListener("input", keepDraft);
  field.addEventListener("keydown", (event) => {
    // Enter that ends the composition of a Chinese word must not ask; 229 is Safari's way to say so
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    $("ask-form").requestSubmit();
  });
  $("ask-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const question = field.value.trim();
    if (question && !running) ask(question);
  });
  $("stop").addEventListener("click", () => running?.abort("stop"));
  $("new-conversation").addEventListener("click", () => {
    running?.abort("stop");
    conversation = null;
    $("thread").replaceChildren();
    $("intro").hidden = false;
    $("new-conversation").hidden = true;
    field.focus();
  });

  function keepDraft() {
    sessionStorage.setItem(DRAFT, field.value);
  }

  function setBusy(busy) {
    const hadFocus = document.activeElement === $("stop") || document.activeElement === $("ask");
    $("stop").hidden = !busy;
    $("ask").hidden = busy;
    if (hadFocus) field.focus();
    $("new-conversation").hidden = false;
  }

  async function ask(question) {
    const turn = new Turn(question);
    $("intro").hidden = true;
    $("thread").append(turn.node);
    field.value = "";
    keepDraft();
    await answer(turn);
  }

  async function answer(turn) {
    const control = new AbortController();
    running = control;
    setBusy(true);
    $("announce").textContent = S.searching;
    turn.node.scrollIntoView({ block: "start" });
    try {
      $("announce").textContent = await stream(turn, control);
    } catch (error) {
      $("announce").textContent = "";
      if (control.signal.reason === "stop") turn.stop();
      else if (error instanceof ApiError) report(turn, error);
      else {
        console.warn(error); // a torn connection, or an answer of another shape than the contract's
        report(turn, new ApiError(0));
      }
    } finally {
      if (running === control) {
        running = null;
        setBusy(false);
      }
    }
  }

  async function stream(turn, control) {
    let watchdog = 0;
    const alive = () => {
      clearTimeout(watchdog);
      watchdog = setTimeout(() => control.abort("silence"), SILENCE_MS);
    };
    const json = { question: turn.question, collections: collections(), conversation_id: conversation, stream: true };
    try {
      alive();
      const response = await send("/ask", { method: "POST", json, signal: control.signal, accept: "text/event-stream" });
      for await (const { event, data } of readEvents(response.body, alive)) {
        if (event === "retrieval") turn.showPassages(data.passages ?? data);
        else if (event === "token") turn.addToken(data.text);
        else if (event === "citation") turn.addCitation(data.citation ?? data);
        else if (event === "verification") turn.addVerdict(data.verdict);
        else if (event === "error") throw new ApiError(data.status ?? 500, data.error ?? data);
        else if (event === "done") {
          const final = data.question === undefined && data.answer?.citations ? data.answer : data;
          conversation = final.conversation_id ?? conversation;
          return turn.finish(final);
        }
      }
      throw new ApiError(0); // the stream ended without its last event
    } finally {
      clearTimeout(watchdog);
    }
  }

  function report(turn, error) {
    if (!field.value) {
      field.value = turn.question;
      keepDraft();
    }
    const detail = error.requestId ? S.requestId(error.requestId) : "";
    turn.fail(error.explain(), detail, { label: S.retry, run: () => retry(turn) });
    if (error.status === 0 || error.status === 503) onTrouble();
  }

  function retry(failed) {
    if (running) return;
    if (field.value.trim() === failed.question) {
      field.value = "";
      keepDraft();
    }
    const turn = new Turn(failed.question);
    failed.node.replaceWith(turn.node);
    field.focus();
    answer(turn);
  }

  return { ask: (question) => running || ask(question) };
}
