// The page's texts in the language it was sent in, and numbers, sizes and times as that language writes them.
// The catalogue is web/i18n/*.json, put into the page by the server; a pair of texts is for one and for any other number.

const catalogue = JSON.parse(document.getElementById("catalogue").textContent);
export const language = document.documentElement.lang;

const locale = navigator.languages.find((wanted) => wanted.split("-")[0] === language) ?? language; // en-GB rather than en

const numbers = new Intl.NumberFormat(locale);
const moments = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });
const distances = new Intl.RelativeTimeFormat(locale, { numeric: "auto", style: "short" });

/** The text of a key, its {places} filled; numbers are written as the language does. */
export function t(key, values = {}) {
  let text = catalogue[key];
  if (text === undefined) throw new Error(`no text for ${key}`);
  if (Array.isArray(text)) text = text[values.n === 1 ? 0 : 1];
  return text.replace(/\{(\w+)\}/g, (_, name) => (typeof values[name] === "number" ? numbers.format(values[name]) : values[name]));
}

/** The text of a key that may be unknown, or the other text. */
export const tOr = (key, other) => (key in catalogue ? t(key) : other);

export const formatNumber = (n) => numbers.format(n);

/** Sizes in powers of 1000, as file managers show them. */
export function formatBytes(bytes) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = value < 10 && unit > 0 ? 1 : 0;
  return `${new Intl.NumberFormat(locale, { maximumFractionDigits: digits }).format(value)} ${units[unit]}`;
}

export const formatTime = (iso) => moments.format(new Date(iso));

const STEPS = [
  ["day", 86400],
  ["hour", 3600],
  ["minute", 60],
];

/** "5 min ago" within a week, the date after. */
export function formatAgo(iso) {
  const seconds = (new Date(iso) - Date.now()) / 1000;
  if (seconds < -7 * 86400) return new Intl.DateTimeFormat(locale, { dateStyle: "medium" }).format(new Date(iso));
  for (const [unit, size] of STEPS) if (seconds < -size) return distances.format(Math.round(seconds / size), unit);
  return t("just_now");
}

export function formatDuration(seconds) {
  if (seconds < 90) return t("seconds", { n: Math.max(1, Math.round(seconds)) });
  return t("minutes", { n: Math.round(seconds / 60) });
}

export const formatSeconds = (seconds) => t("took", { n: new Intl.NumberFormat(locale, { maximumFractionDigits: 1 }).format(seconds) });
