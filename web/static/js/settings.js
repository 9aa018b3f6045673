// The settings page's part that the server fills: models, readiness, disk, limits.

import { getStatus } from "./base/api.js";
import { $, el } from "./base/dom.js";
import { formatBytes, formatNumber, t } from "./base/strings.js";

const REFRESH_MS = 5000;

/** Returns {show}. */
export function setUp() {
  let timer = 0;

  async function show() {
    clearTimeout(timer);
    const status = await getStatus();
    $("server-state").replaceChildren(models(status), readiness(status), disk(status), limits(status));
    if (!$("view-settings").hidden && !status.ready) timer = setTimeout(() => show().catch(() => {}), REFRESH_MS);
  }

  return { show };
}

let boxes = 0;
function box(title, ...children) {
  const id = `state-${(boxes += 1)}`;
  return el("section", { class: "box", "aria-labelledby": id }, el("h2", { id }, title), ...children);
}

const facts = (rows) => el("dl", { class: "facts" }, rows.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))));

function models({ models: { answers, answers_kind: kind, embeddings, reranker }, version }) {
  const rows = [
    [t("settings.answers"), kind === "extractive" ? t("settings.extractive") : answers],
    [t("settings.embeddings"), embeddings],
  ];
  if (kind !== "extractive") rows.splice(1, 0, [t("settings.where"), t(`settings.kind.${kind}`)]);
  if (reranker) rows.push([t("settings.reranker"), reranker]);
  return box(t("settings.models"), facts([...rows, [t("settings.version"), version]]));
}

function readiness({ parts, documents }) {
  const stateOf = ({ state, detail }) => [el("span", { class: `state ${{ ready: "indexed", failed: "failed" }[state] ?? ""}` }, t(`settings.state.${state}`)), detail && state !== "ready" ? el("span", { class: "small block" }, detail) : ""];
  const rows = Object.entries(parts).map(([name, part]) => [t(`settings.part.${name}`), stateOf(part)]);
  const { indexed, failed } = documents;
  const active = ["queued", "parsing", "chunking", "embedding"].reduce((sum, name) => sum + documents[name], 0);
  return box(t("settings.readiness"), facts([...rows, [t("settings.documents"), t("settings.counted", { n: indexed, active, failed })]]));
}

function disk({ disk: { total_bytes: total, free_bytes: free, originals_bytes: originals } }) {
  const used = (total - free) / total;
  return box(
    t("settings.disk"),
    el("meter", { min: 0, max: 1, high: 0.9, optimum: 0, value: used, "aria-label": t("settings.disk") }),
    facts([
      [t("settings.free"), t("settings.free_of", { free: formatBytes(free), total: formatBytes(total), percent: formatNumber(Math.round(used * 100)) })],
      [t("settings.originals"), formatBytes(originals)],
    ]),
  );
}

function limits({ limits: { upload_mb: upload, reader_timeout_s: seconds, reader_memory_mb: memory, ocr }, protected: locked }) {
  return box(
    t("settings.limits"),
    facts([
      [t("settings.upload"), `${formatNumber(upload)} MiB`],
      [t("settings.reader"), t("settings.reader_limits", { n: seconds, memory })],
      [t("settings.ocr"), t(`settings.ocr.${ocr}`)],
      [t("settings.access"), t(locked ? "settings.access.token" : "settings.access.open")],
    ]),
  );
}
