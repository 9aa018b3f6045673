// One file on its way: what it is doing, and where it failed the reason and the way out.

import { needsOtherCopy, opensWithPassword, stateNodes } from "./states.js";
import { el, icon, newId } from "../base/dom.js";
import { formatBytes, t } from "../base/strings.js";

export class UploadRow {
  /** handlers: retry(upload, password), remove(upload) */
  constructor(file, name, { retry, remove }) {
    Object.assign(this, { file, name, retry, remove, sent: 0, over: false });
    this.state = el("div", { class: "upload-state" }, el("span", { class: "state" }, t("upload.waiting")));
    this.node = el("li", {}, el("span", { class: "file", title: name }, name, el("span", { class: "small" }, ` ${formatBytes(file.size)}`)), this.state);
  }

  waiting() {
    this.#open();
    this.sent = 0;
    this.#set([el("span", { class: "state" }, t("upload.waiting"))]);
  }

  sending(bytes) {
    this.sent = bytes;
    const percent = this.file.size ? Math.floor((100 * bytes) / this.file.size) : 100;
    if (!this.bar?.isConnected) {
      this.bar = el("progress", { max: 100, "aria-label": this.name });
      this.words = el("span", { class: "state" });
      this.#set([this.words, this.bar]);
    }
    this.bar.value = percent;
    this.words.textContent = percent < 100 ? t("upload.sending", { n: percent }) : t("upload.received");
  }

  /** A document of the library, as far as it is. */
  show(document, over) {
    this.document = document;
    this.sent = this.file.size;
    if (document.status === "failed") {
      this.fail(document.error, this.job);
      return;
    }
    this.over = over;
    this.node.classList.toggle("finished", over);
    this.#set(document.status === "indexed" ? [el("span", { class: "state indexed" }, t("upload.done", { n: document.chunks }))] : stateNodes(document));
  }

  /** error: {code, message}. again: whether trying again may help. */
  fail(error, again) {
    this.over = true;
    this.failed = true;
    this.sent = this.file.size;
    this.node.classList.add("finished", "failed");
    const failed = { status: "failed", error, media_type: this.document?.media_type };
    const ways = [];
    if (opensWithPassword(failed)) ways.push(this.#passwordForm());
    else if (again && !needsOtherCopy(failed)) ways.push(el("button", { type: "button", onclick: () => this.retry(this) }, icon("retry"), ` ${t("retry")}`));
    ways.push(el("button", { type: "button", class: "quiet", onclick: () => this.remove(this) }, t("remove")));
    this.#set([...stateNodes(failed), el("div", { class: "row" }, ways)]);
  }

  #passwordForm() {
    const id = newId("password");
    const field = el("input", { type: "password", id, required: true, autocomplete: "off", size: "14" });
    const form = el("form", { class: "row" }, el("label", { for: id, class: "small" }, t("upload.password")), field, el("button", { type: "submit", class: "primary" }, t("upload.open")));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.retry(this, field.value);
    });
    return form;
  }

  #open() {
    this.over = false;
    this.failed = false;
    this.node.classList.remove("finished", "failed");
  }

  #set(nodes) {
    const key = nodes.map((node) => node.textContent).join();
    if (key === this.key && !nodes.some((node) => node.querySelector?.("input, button"))) {
      const bar = this.state.querySelector("progress");
      const next = nodes.find((node) => node.tagName === "PROGRESS");
      if (bar && next) bar.value = next.value;
      return;
    }
    this.key = key;
    this.state.replaceChildren(...nodes);
  }
}
