// Short messages at the edge, and deletions of what has no trash (conversations, whole collections), which can be taken back: the
// request leaves when the time to undo is over.

import { $, el } from "./dom.js";
import { t } from "./strings.js";

const SHOWN_MS = 6000;
export const UNDO_MS = 8000;

export function toast(text, { action = null, ms = SHOWN_MS } = {}) {
  if (!action) $("toasts").querySelector(".plain")?.remove(); // the last word counts
  const node = el("div", { class: action ? "toast" : "toast plain" }, el("span", {}, text));
  const close = () => node.remove();
  if (action) {
    node.append(
      el(
        "button",
        {
          type: "button",
          onclick: () => {
            close();
            action.run();
          },
        },
        action.label,
      ),
    );
  }
  $("toasts").append(node);
  setTimeout(close, ms);
  return close;
}

const pending = new Set();

/**
 * Delete after UNDO_MS unless it is taken back; at once when the page is left.
 * remove({keepalive}) does it; restore() shows the thing again; done(error) is called after it.
 */
export function deleteLater(text, { remove, restore, done = () => {} }) {
  const entry = { leave: () => remove({ keepalive: true }).catch(() => {}) };
  const timer = setTimeout(async () => {
    pending.delete(entry);
    try {
      await remove({});
      done(null);
    } catch (error) {
      if (error.status !== 404) {
        restore();
        toast(error.explain());
      }
      done(error);
    }
  }, UNDO_MS);
  pending.add(entry);
  toast(text, {
    ms: UNDO_MS,
    action: {
      label: t("undo"),
      run: () => {
        clearTimeout(timer);
        pending.delete(entry);
        restore();
      },
    },
  });
}

addEventListener("pagehide", () => {
  for (const entry of pending) entry.leave();
  pending.clear();
});
