// Adding files: dropped or chosen, sent two at a time, followed until they are ready or have failed.

import { ApiError, getJob, uploadFile } from "./api.js";
import { $, el } from "./dom.js";
import { statusNodes } from "./library.js";
import { formatBytes, S } from "./strings.js";

const SENDING_AT_ONCE = 2;
const POLL_MS = 1000;
const POLLED_AT_ONCE = 4;
const FINISHED = new Set(["done", "failed", "cancelled"]);

/** onStart(): files were taken. onChange(): a document came or moved on. */
export function setUpUploads({ onStart, onChange }) {
  const waiting = [];
  const jobs = []; // uploads whose job still runs, in turn
  let sending = 0;
  let timer = 0;

  $("choose-files").addEventListener("click", () => $("files").click());
  $("files").addEventListener("change", () => {
    add([...$("files").files]);
    $("files").value = ""; // so that the same file can be chosen again
  });
  $("clear-uploads").addEventListener("click", () => {
    for (const row of $("uploads").querySelectorAll(".finished")) row.remove();
    $("upload-area").hidden = !$("uploads").children.length;
  });
  setUpDrop(add);

  function add(files) {
    if (!files.length) return;
    onStart();
    $("upload-area").hidden = false;
    const collection = $("upload-collection").value.trim() || "default";
    const limit = Number(document.body.dataset.maxUploadMb);
    for (const file of files) {
      const upload = newRow(file, collection);
      if (limit && file.size > limit * 2 ** 20) finish(upload, S.tooLarge(formatBytes(file.size), limit));
      else if (!file.size) finish(upload, S.emptyFile);
      else waiting.push(upload);
    }
    sendNext();
  }

  function newRow(file, collection) {
    const state = el("span", { class: "upload-state" }, S.waiting);
    const node = el("li", {}, el("span", { class: "file" }, file.name), state);
    $("uploads").prepend(node);
    return { file, collection, node, state };
  }

  function finish(upload, message, again = null) {
    upload.node.classList.add("finished");
    upload.state.replaceChildren(
      el("span", { class: "state failed" }, S.statuses.failed),
      el("span", { class: "small block error-text" }, message),
      ...(again ? [el("button", { type: "button", onclick: again }, S.retry)] : []),
    );
  }

  async function sendNext() {
    if (sending >= SENDING_AT_ONCE || !waiting.length) return;
    sending += 1;
    const upload = waiting.shift();
    sendNext();
    await sendFile(upload);
    sending -= 1;
    sendNext();
  }

  async function sendFile(upload) {
    const again = () => {
      upload.node.classList.remove("finished");
      upload.state.replaceChildren(S.waiting);
      waiting.push(upload);
      sendNext();
    };
    const bar = el("progress", { max: 1, value: 0, "aria-label": upload.file.name });
    const words = el("span", { class: "small" }, S.sending(0));
    upload.state.replaceChildren(words, bar);
    try {
      const receipt = await uploadFile(upload.file, upload.collection, (share) => {
        bar.value = share;
        words.textContent = share < 1 ? S.sending(Math.floor(share * 100)) : S.received;
      });
      const [document] = receipt.documents;
      if (document?.status === "unchanged") show(upload, document, true);
      else follow(upload, receipt.job_id);
    } catch (error) {
      const problem = error instanceof ApiError ? error : new ApiError(0);
      finish(upload, problem.explain(), problem.temporary ? again : null);
    }
    onChange();
  }

  function follow(upload, job) {
    upload.job = job;
    upload.state.replaceChildren(S.statuses.queued);
    jobs.push(upload);
    timer ||= setTimeout(poll, POLL_MS);
  }

  async function poll() {
    await Promise.all(jobs.splice(0, POLLED_AT_ONCE).map(check));
    timer = jobs.length ? setTimeout(poll, POLL_MS) : 0;
  }

  async function check(upload) {
    try {
      const job = await getJob(upload.job);
      show(upload, job.documents[0] ?? { status: job.status }, FINISHED.has(job.status));
      if (FINISHED.has(job.status)) onChange();
      else jobs.push(upload);
    } catch (error) {
      if (error.temporary) jobs.push(upload);
      else finish(upload, error.explain());
    }
  }

  function show(upload, document, over) {
    upload.node.classList.toggle("finished", over);
    const words = document.status === "indexed" ? [el("span", { class: "state indexed" }, S.done(document.chunks))] : statusNodes(document);
    const key = words.map((node) => node.textContent ?? node).join("");
    if (upload.state.textContent !== key) upload.state.replaceChildren(...words); // live regions repeat what is set again
  }
}

/** Files dropped anywhere on the page; folders are walked. */
function setUpDrop(add) {
  const overlay = $("drop-overlay");
  const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");
  document.addEventListener("dragenter", (event) => {
    if (carriesFiles(event)) overlay.hidden = false;
  });
  document.addEventListener("dragover", (event) => {
    if (carriesFiles(event)) event.preventDefault();
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) overlay.hidden = true;
  });
  document.addEventListener("drop", async (event) => {
    overlay.hidden = true;
    if (!carriesFiles(event)) return;
    event.preventDefault();
    const { items, files } = event.dataTransfer;
    const entries = [...items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean); // valid during this event only
    add(entries.some((entry) => entry.isDirectory) ? (await Promise.all(entries.map(walk))).flat() : [...files]);
  });
}

async function walk(entry) {
  if (entry.name.startsWith(".")) return [];
  try {
    if (entry.isFile) return [await new Promise((resolve, reject) => entry.file(resolve, reject))];
    const reader = entry.createReader();
    const found = [];
    for (;;) {
      const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject)); // at most 100 at a time
      if (!some.length) return found;
      for (const child of some) found.push(...(await walk(child)));
    }
  } catch {
    return []; // unreadable for the browser: nothing that could be sent
  }
}
