// The document beside the conversation: a page as a picture, the cited passage in sight; its text; the other pages.
import { documents, json } from "./api.js";
import { $, make, pageOf, plain, quoted, spaced, tame, when } from "./dom.js";
import { askOnly } from "./filter.js";

const NARROW = "(max-width: 63.99rem)";
const SCALES = [1, 1.25, 1.5, 2, 2.5, 3];
const CLOSEST = 1.9; // zoom of a narrow passage, a column's, on a phone
let shown = null; // {id, title, page, pages, info, citation?, citations?}
let opener = null;
let reading = false; // the page's text rather than its picture
let scale = 1;

export const narrow = () => matchMedia(NARROW).matches;
const base = () => `v1/documents/${encodeURIComponent(shown.id)}`;
const picture = (id, page, quote = "") =>
  `v1/documents/${encodeURIComponent(id)}/pages/${page}.png${quote ? `?quote=${encodeURIComponent(quote)}` : ""}`;
const own = () => shown.citation && shown.page === shown.citation.page;

// The page is drawn by the time one clicks.
export const prefetch = (citation, button) =>
  setTimeout(() => {
    if (!button.matches(":hover, :focus")) return;
    new Image().src = picture(citation.document_id, citation.page, citation.quote);
  }, 200);

export const openCitation = (citations, citation, from) => {
  open({ id: citation.document_id, title: citation.title, page: citation.page, citation, citations }, from);
};

export const openDocument = (info, from) => open({ id: info.id, title: info.title, page: 1 }, from);

const open = (wanted, from) => {
  opener = from;
  shown = wanted;
  reading = false;
  scale = 1;
  $("b17-panel").hidden = false;
  $("b17").classList.add("reading");
  show();
  $("b17-panel").focus({ preventScroll: true });
  if (shown.citation) from?.scrollIntoView({ block: narrow() ? "start" : "nearest" });
};

// Beside the sentence: the number that is open, and the sentence that it proves.
const mark = () => {
  document.querySelectorAll(".b17-call.open").forEach((b) => b.classList.remove("open"));
  document.querySelectorAll(".b17-sentence.proved").forEach((s) => s.classList.remove("proved"));
  if (!opener?.classList.contains("b17-call")) return;
  opener.classList.add("open");
  opener.closest(".b17-sentence")?.classList.add("proved");
};

const show = async () => {
  const asked = shown;
  const { citation, page } = shown;
  mark();
  $("b17-title").textContent = tame(shown.title);
  $("b17-number").value = page;
  $("b17-quote").textContent = citation ? quoted(citation.quote) : "";
  $("b17-quote").hidden = !citation;
  steps();
  describe();
  disable($("b17-previous"), page <= 1);
  disable($("b17-next"), shown.pages ? page >= shown.pages : false);
  $("b17-pdf").href = `${base()}/file#page=${page}`;
  draw(asked);
  if (shown.info) return;
  const info = (await documents()).find((d) => d.id === asked.id);
  if (shown?.id !== asked.id || !info) return;
  Object.assign(shown, { info, pages: info.pages });
  $("b17-total").textContent = `sur\u00a0${info.pages}`;
  $("b17-title").lang = $("b17-quote").lang = $("b17-page").lang = info.language || "fr";
  disable($("b17-next"), shown.page >= info.pages);
  $("b17-pdf").hidden = !info.has_file;
  describe();
};

// « Page 3 sur 12, imprimée 5 · section · éditeur · date »
const describe = () => {
  const { citation, page, info } = shown;
  const printed = own() && citation.page_label && citation.page_label !== String(page);
  $("b17-where").textContent = [
    `Page\u00a0${page}${printed ? ` (numérotée ${citation.page_label})` : ""}`,
    own() && citation.section !== citation.title ? citation.section : "",
    info?.publisher || info?.authors?.join(", "),
    when(info?.date),
  ].filter(Boolean).join(" · ");
};

const disable = (button, off) => button.setAttribute("aria-disabled", String(off)); // keeps the focus, unlike `disabled`
const disabled = (button) => button.getAttribute("aria-disabled") === "true";

const draw = async (asked) => {
  const image = $("b17-picture");
  const current = () => shown === asked && image.dataset.page === `${asked.id}/${asked.page}`;
  $("b17-sheet").classList.add("loading");
  $("b17-hint").hidden = true;
  zoom(scale);
  image.dataset.page = `${asked.id}/${asked.page}`;
  image.removeAttribute("src"); // never the page before under this page's number
  image.alt = `Page ${asked.page} de «\u00a0${asked.title}\u00a0»${own() ? ", le passage cité est surligné" : ""}`;
  $("b17-sheet").scrollTo(0, 0);
  if (reading) return showText(asked);
  face(false);
  const quote = own() ? asked.citation.quote : "";
  image.onload = () => {
    if (!current()) return;
    $("b17-sheet").classList.remove("loading");
    if (quote) bringInSight(asked, current);
  };
  image.onerror = () => current() && showText(asked); // a text file, or a damaged PDF
  image.src = picture(asked.id, asked.page, quote);
};

// The passage stands in the middle of what is seen; on a phone it takes the whole width.
const bringInSight = async (asked, current) => {
  const found = await json(`${base()}/pages/${asked.page}/highlight?quote=${encodeURIComponent(asked.citation.quote)}`);
  if (!current() || !found) return;
  if (!found.found) {
    hint("Le passage n’a pas pu être surligné sur l’image\u00a0: le voici dans le texte de la page.");
    return showText(asked);
  }
  const [sheet, image] = [$("b17-sheet"), $("b17-picture")];
  const left = Math.min(...found.boxes.map((b) => b[0]));
  const right = Math.max(...found.boxes.map((b) => b[2]));
  if (narrow()) zoom(Math.min(CLOSEST, Math.max(1, 0.94 / (right - left))));
  const top = Math.min(...found.boxes.map((b) => b[1])) * image.offsetHeight;
  const bottom = Math.max(...found.boxes.map((b) => b[3])) * image.offsetHeight;
  const margin = Math.max(24, (sheet.clientHeight - (bottom - top)) / 2);
  sheet.scrollTo(left * image.offsetWidth - 0.03 * sheet.clientWidth, image.offsetTop + top - Math.min(margin, sheet.clientHeight / 3));
};

const hint = (text) => {
  $("b17-hint").textContent = text;
  $("b17-hint").hidden = false;
};

const face = (text) => {
  reading = text;
  $("b17-picture").hidden = text;
  $("b17-page").hidden = !text;
  $("b17-zoom").hidden = text;
  $("b17-reading").setAttribute("aria-pressed", String(text));
};

// The page's text, where the quote stands word for word.
const showText = async (asked) => {
  face(true);
  const target = $("b17-page");
  target.textContent = "";
  const found = await json(`${base()}/pages/${asked.page}`);
  if (shown !== asked) return;
  $("b17-sheet").classList.remove("loading");
  if (!found) return hint("Cette page ne peut pas être affichée pour l’instant.");
  const quote = own() ? asked.citation.quote : "";
  const at = quote ? found.text.indexOf(quote) : -1;
  if (at < 0) {
    target.textContent = found.text || "Cette page ne porte pas de texte.";
    return;
  }
  const marked = make("mark", "", quote);
  target.append(found.text.slice(0, at), marked, found.text.slice(at + quote.length));
  $("b17-sheet").scrollTo(0, marked.offsetTop - $("b17-sheet").clientHeight / 3);
};

const turnTo = (page) => {
  if (!shown || !Number.isInteger(page)) return;
  const bounded = Math.min(Math.max(1, page), shown.pages ?? Math.max(1, page));
  $("b17-number").value = bounded;
  if (bounded === shown.page) return;
  shown = { ...shown, page: bounded };
  show();
};

const zoom = (wanted) => {
  scale = wanted;
  $("b17-picture").style.width = `${wanted * 100}%`;
  $("b17-scale").textContent = `${Math.round(wanted * 100)}\u00a0%`;
  disable($("b17-smaller"), wanted <= SCALES[0]);
  disable($("b17-larger"), wanted >= SCALES.at(-1));
};

// Closer or further, around the middle of what is seen.
const zoomBy = (step) => {
  const sheet = $("b17-sheet");
  const wanted = step > 0 ? SCALES.find((s) => s > scale) : SCALES.findLast((s) => s < scale);
  if (!wanted) return;
  const [x, y] = [sheet.scrollLeft + sheet.clientWidth / 2, sheet.scrollTop + sheet.clientHeight / 2];
  const ratio = wanted / scale;
  zoom(wanted);
  sheet.scrollTo(x * ratio - sheet.clientWidth / 2, y * ratio - sheet.clientHeight / 2);
};

// --- from one citation of the answer to the next: each sentence checked in turn

const steps = () => {
  const all = shown.citations ?? [];
  const at = all.indexOf(shown.citation);
  $("b17-steps").hidden = all.length < 2;
  $("b17-step").textContent = `${at + 1}\u00a0sur\u00a0${all.length}`;
  disable($("b17-quote-before"), at <= 0);
  disable($("b17-quote-after"), at >= all.length - 1);
};

const step = (by) => {
  const wanted = shown.citations[shown.citations.indexOf(shown.citation) + by];
  if (!wanted) return;
  const call = opener?.closest(".b17-turn")?.querySelector(`.b17-call[data-n="${wanted.n}"]`);
  opener = call ?? opener;
  const same = shown.id === wanted.document_id;
  shown = { id: wanted.document_id, title: wanted.title, page: wanted.page, citation: wanted, citations: shown.citations,
    ...(same && { info: shown.info, pages: shown.pages }) };
  show();
  call?.scrollIntoView({ block: narrow() ? "start" : "nearest" });
};

export const closeSource = (focus = true) => {
  if (!shown) return;
  shown = null;
  $("b17").classList.remove("reading");
  $("b17-panel").hidden = true;
  const back = opener;
  opener = null;
  mark();
  if (focus && back?.isConnected) back.focus();
};


export const isOpen = () => shown !== null;

export const bindSource = () => {
  const on = (id, act) => $(id).addEventListener("click", (event) => !disabled(event.currentTarget) && act());
  on("b17-close", closeSource);
  on("b17-previous", () => turnTo(shown.page - 1));
  on("b17-next", () => turnTo(shown.page + 1));
  on("b17-smaller", () => zoomBy(-1));
  on("b17-larger", () => zoomBy(1));
  on("b17-quote-before", () => step(-1));
  on("b17-quote-after", () => step(1));
  on("b17-reading", () => {
    reading = !reading;
    draw(shown);
  });
  on("b17-only", () => {
    const { id, title } = shown;
    if (narrow()) closeSource(false);
    askOnly({ id, title });
  });
  $("b17-number").addEventListener("change", () => {
    const wanted = Number.parseInt($("b17-number").value, 10);
    if (Number.isInteger(wanted)) turnTo(wanted);
    else $("b17-number").value = shown.page;
  });
};

// A passage found by a search, in the form of a citation: its first words are what is highlighted.
export const asCitation = (passage) => {
  const first = passage.text.split("\n").find((line) => line.trim().length > 40) ?? passage.text;
  return { ...passage, n: 0, quote: first.slice(0, 400) };
};

const GLIMPSE = 170; // characters

// How a passage begins, without the title that stands above it, cut at a word.
const glimpse = (passage) => {
  const text = plain(passage.text);
  const bare = text.startsWith(passage.title) ? text.slice(passage.title.length).trim() : text;
  return bare.length > GLIMPSE ? `${bare.slice(0, GLIMPSE).replace(/[\s,;:.]+\S*$/, "")}…` : bare;
};

export const passageCard = (passage) => {
  const card = make("button", "b17-card");
  card.type = "button";
  card.append(make("strong", "", passage.title), make("span", "b17-meta", pageOf(passage)), make("span", "b17-bit", spaced(glimpse(passage))));
  card.addEventListener("click", () => {
    const citation = asCitation(passage);
    openCitation([citation], citation, card);
  });
  return card;
};
