// Small tools of the page. Whatever comes from the server or from a visitor is set as text, never as HTML.

export const $ = (id) => document.getElementById(id);

// Without the marks that turn the direction of what follows: a title must not rewrite the words beside it.
export const tame = (text) => String(text).replace(/[\u202a-\u202e\u2066-\u2069]/g, "");

export const make = (tag, className = "", text = undefined) => {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = tame(text);
  return element;
};

export const icon = (name) => {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  svg.setAttribute("class", "b17-icon");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
};

export const button = (className, text, act, picture = "") => {
  const made = make("button", className);
  made.type = "button";
  if (picture) made.append(icon(picture));
  made.append(make("span", "", text));
  made.addEventListener("click", act);
  return made;
};

const MONTHS = "janvier|février|mars|avril|mai|juin|juillet|août|septembre|octobre|novembre|décembre";
const DAY = new RegExp(`(?<=\\b(?:\\d{1,2}|1er)) (?=(?:${MONTHS})\\b)`, "g");

// French typography, for display: nothing that precedes « : ; ? ! % » begins a line, a day stays with its month and a
// number with its thousands, apostrophes are curved.
export const spaced = (text) =>
  text
    .replace(/ (?=[:;?!»%€])/g, "\u00a0")
    .replace(/« /g, "«\u00a0")
    .replace(DAY, "\u00a0")
    .replace(/(?<=\d) (?=\d{3}(?!\d))/g, "\u202f")
    .replace(/(\p{L})'(?=\p{L})/gu, "$1’");

// Numbers in order, three or more in a row as « 1 à 5 ».
export const runs = (numbers) => {
  const rows = [];
  for (const n of numbers) {
    const row = rows.at(-1);
    if (row && n === row.at(-1) + 1) row.push(n);
    else rows.push([n]);
  }
  return rows.map((row) => (row.length > 2 ? `${row[0]} à ${row.at(-1)}` : row.join(", "))).join(", ");
};

// A quote stays word for word: only its line breaks become spaces.
export const plain = (quote) => quote.replace(/\s+/g, " ").trim();
export const quoted = (quote) => `«\u00a0${plain(quote)}\u00a0»`;

export const counted = (number, noun) => `${number.toLocaleString("fr")}\u00a0${noun}${number > 1 ? "s" : ""}`;

// « 24 novembre 2026 »; a date that isn't a whole day stays as the document gives it.
export const when = (date) => {
  const day = /^\d{4}-\d{2}-\d{2}$/.test(date ?? "") ? new Date(`${date}T12:00:00`) : null;
  if (!day || Number.isNaN(day.getTime())) return date ?? "";
  const told = day.toLocaleDateString("fr", { day: "numeric", month: "long", year: "numeric" });
  return told.replace(/^1 /, "1er ").replace(/ /g, "\u00a0");
};

export const pageOf = (citation) => `p.\u00a0${citation.page_label || citation.page}`;

// Said to screen readers, shown to nobody.
export const announce = (text) => { $("b17-status").textContent = text; };

export const wait = (milliseconds, signal) =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new DOMException("stopped", "AbortError"));
    }, { once: true });
  });

export const download = (name, blob) => {
  const link = make("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
};

export const copied = async (text) => {
  if (navigator.clipboard) return navigator.clipboard.writeText(text).then(() => true, () => false);
  const area = make("textarea"); // over plain http, as on a local network, there is no clipboard API
  area.value = text;
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  return done;
};
