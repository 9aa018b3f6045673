// What can be done with an answer: copy it, share it, ask again, say whether it was good.

import { asMarkdown, asText } from "./copying.js";
import { rate } from "../base/api.js";
import { copy } from "../base/clipboard.js";
import { el, icon, newId, tool } from "../base/dom.js";
import { t } from "../base/strings.js";
import { toast } from "../base/toast.js";

export function actionsOf(turn) {
  const { answer } = turn;
  const node = el("div", { class: "row actions", role: "group", "aria-label": t("actions") });
  if (answer.answered) {
    node.append(
      copyButton(t("copy.markdown"), t("copy.as_markdown"), () => asMarkdown(turn)),
      copyButton(t("copy.text"), t("copy.as_text"), () => asText(turn)),
    );
  }
  node.append(
    tool("link", t("share"), () => share(answer)),
    tool("retry", t("ask_again"), () => turn.retry(turn)),
    ...rating(answer),
  );
  const [good, bad] = node.querySelectorAll("[data-rating]");
  const box = commentBox(answer, [good, bad]);
  return el("div", {}, node, box);
}

function copyButton(words, label, made) {
  const onclick = async () => {
    await copy(made());
    toast(t("copy.done"));
  };
  return el("button", { type: "button", class: "quiet", "aria-label": label, title: label, onclick }, icon("copy"), words);
}

async function share({ conversation_id: conversation, id }) {
  await copy(new URL(`#conversation/${conversation}/${id}`, location.href).href);
  toast(t("share.done"));
}

function rating(answer) {
  return [
    ["up", "up", t("rate.up")],
    ["down", "down", t("rate.down")],
  ].map(([value, name, label]) => tool(name, label, null, { "data-rating": value, "aria-pressed": String(answer.feedback?.rating === value) }));
}

/** The rating is sent at once; a comment may follow. What was typed stays until it has been taken. */
function commentBox(answer, buttons) {
  const id = newId("comment");
  const field = el("textarea", { id, rows: "2", maxlength: "4000" });
  field.value = answer.feedback?.comment ?? "";
  const form = el(
    "form",
    { class: "comment", hidden: true },
    el("label", { for: id }, t("rate.comment")),
    field,
    el("div", { class: "row" }, el("button", { type: "submit", class: "primary" }, t("rate.send")), el("button", { type: "button", class: "quiet", onclick: () => close() }, t("close"))),
  );
  let chosen = answer.feedback?.rating;
  const close = () => {
    form.hidden = true;
    buttons.find((button) => button.dataset.rating === chosen)?.focus();
  };
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (await sent(field.value.trim())) close();
  });
  for (const button of buttons) {
    button.addEventListener("click", async () => {
      chosen = button.dataset.rating;
      if (!(await sent(field.value.trim()))) return;
      for (const other of buttons) other.setAttribute("aria-pressed", String(other === button));
      form.hidden = false;
      field.focus();
    });
  }
  async function sent(comment) {
    try {
      await rate(answer.id, chosen, comment);
      toast(t("rate.thanks"));
      return true;
    } catch (error) {
      toast(error.explain());
      return false;
    }
  }
  return form;
}
