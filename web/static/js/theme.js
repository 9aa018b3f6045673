// Light or dark: as the system has it, until a person chooses. A cookie, so that the server sends the page in it.

import { $ } from "./base/dom.js";

const SECONDS_KEPT = 365 * 24 * 3600;
const dark = matchMedia("(prefers-color-scheme: dark)");

export function setUpTheme() {
  const root = document.documentElement;
  $("theme").value = root.dataset.theme ?? "";
  $("theme").addEventListener("change", () => choose($("theme").value));
  $("switch-theme").addEventListener("click", () => choose((root.dataset.theme || (dark.matches ? "dark" : "light")) === "dark" ? "light" : "dark"));

  function choose(theme) {
    if (theme) root.dataset.theme = theme;
    else delete root.dataset.theme;
    $("theme").value = theme;
    document.cookie = `docent_theme=${theme}; path=/; max-age=${theme ? SECONDS_KEPT : 0}; samesite=lax`;
  }
}
