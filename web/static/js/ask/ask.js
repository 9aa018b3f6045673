// The question form and the conversation: one question at a time, streamed, stoppable, never lost.

import { Turn } from "./answer.js";
import { closePanel } from "./panel.js";
import { ApiError, listMessages, send } from "../base/api.js";
import { $, say } from "../base/dom.js";
import { keepDraft, keptDraft } from "../base/drafts.js";
import { readEvents } from "../base/sse.js";
import { t } from "../base/strings.js";

const SILENCE_MS = 45_000; // the server pings every 15 s; after three missed pings the connection is gone

/**
 * collections(): names chosen to be asked. answers(): how cautiously. onTrouble(): the server did not answer. onAnswer(conversation): one was stored.
 * Returns {ask, start, resume, conversation}.
 */
export function setUpAsk({ collections, answers, onTrouble, onAnswer }) {
  const field = $("question");
  const host = { retry, announce: (text) => say($("announce"), text) };
  let conversation = null;
  let running = null;

  keptDraft().then((draft) => (field.value ||= draft));
  field.addEventListener("input", () => keepDraft(field.value));
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
  $("thread").addEventListener("click", (event) => {
    const chip = event.target.closest(".chip");
    if (chip) chipTurn(chip)?.open({ n: Number(chip.dataset.n) }, chip);
  });
  const turns = new Map(); // by node
  const chipTurn = (chip) => turns.get(chip.closest(".turn"));

  function newTurn(question) {
    const turn = new Turn(question, host);
    turns.set(turn.node, turn);
    return turn;
  }

  function setBusy(busy) {
    const hadFocus = document.activeElement === $("stop") || document.activeElement === $("ask");
    $("stop").hidden = !busy;
    $("ask").hidden = busy;
    if (hadFocus) field.focus();
    field.placeholder = $("thread").children.length ? t("ask.follow_up") : t("ask.placeholder");
  }

  async function ask(question, caution = null) {
    const turn = newTurn(question);
    turn.answers = caution;
    $("intro").hidden = true;
    $("thread").append(turn.node);
    field.value = "";
    keepDraft("");
    await answer(turn);
  }

  async function answer(turn) {
    const control = new AbortController();
    running = control;
    setBusy(true);
    host.announce(t("ask.searching"));
    turn.node.scrollIntoView({ block: "start" });
    try {
      host.announce(await stream(turn, control));
      onAnswer(conversation);
    } catch (error) {
      host.announce("");
      if (control.signal.reason === "stop") turn.stop();
      else if (error instanceof ApiError) report(turn, error);
      else {
        console.warn(error); // a torn connection, or a mistake of ours
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
    const json = { question: turn.question, collections: collections(), conversation_id: conversation, answers: turn.answers ?? answers(), stream: true, rendered: true };
    try {
      alive();
      const response = await send("/ask", { method: "POST", json, signal: control.signal, accept: "text/event-stream" });
      for await (const { event, data } of readEvents(response.body, alive)) {
        if (event === "retrieval") turn.showPassages(data.passages);
        else if (event === "rendering") turn.addRendering(data);
        else if (event === "citation") turn.addCitation(data);
        else if (event === "verification") turn.addVerdict(data);
        else if (event === "error") throw new ApiError(data.status ?? 500, data.error ?? data);
        else if (event === "done") {
          conversation = data.conversation_id ?? conversation;
          return turn.finish(data);
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
      keepDraft(field.value);
    }
    const detail = error.requestId ? t("error.request", { id: error.requestId }) : "";
    turn.fail(error.explain(), detail, { label: t("retry"), run: () => retry(turn) });
    if (error.status === 0 || error.status === 503) onTrouble();
  }

  /** Ask the same again: in the place of what failed or was stopped, below an answer that stands. */
  function retry(before, caution = null) {
    if (running) return;
    if (before.answer) {
      ask(before.question, caution);
      return;
    }
    if (field.value.trim() === before.question) {
      field.value = "";
      keepDraft("");
    }
    const turn = newTurn(before.question);
    turn.answers = before.answers;
    before.node.replaceWith(turn.node);
    turns.delete(before.node);
    field.focus();
    answer(turn);
  }

  function start() {
    running?.abort("stop");
    conversation = null;
    clear();
    $("intro").hidden = false;
    setBusy(false);
  }

  function clear() {
    closePanel();
    $("thread").replaceChildren();
    turns.clear();
  }

  /** Show a stored conversation, at one of its answers where that is named. */
  async function resume(id, answerId) {
    if (id !== conversation) {
      const { data } = await listMessages(id);
      running?.abort("stop");
      conversation = id;
      clear();
      $("intro").hidden = true;
      for (let index = 0; index + 1 < data.length; index += 2) {
        const turn = newTurn(data[index].content);
        $("thread").append(turn.node);
        turn.finish(storedAnswer(id, data[index].content, data[index + 1]));
      }
      setBusy(false);
    }
    const node = answerId ? $(`answer-${answerId}`) : $("thread").lastElementChild;
    node?.scrollIntoView({ block: "start" });
    node?.classList.toggle("shared", Boolean(answerId));
  }

  return { ask: (question) => running || ask(question), start, resume, conversation: () => conversation };
}

const storedAnswer = (conversation, question, message) => ({
  ...message,
  id: message.answer_id,
  conversation_id: conversation,
  question,
  answer: message.content,
});
