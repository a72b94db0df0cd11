// The library: what the corpus holds, by title, kind and date; open a document, ask about it alone, search its pages.
import { documents, forget, json } from "./api.js";
import { $, button, counted, make, spaced, when } from "./dom.js";
import { askOnly } from "./filter.js";
import { openDocument, passageCard } from "./source.js";

const folded = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
const titled = (text) => text.charAt(0).toUpperCase() + text.slice(1);
const ORDERS = {
  title: (a, b) => a.title.localeCompare(b.title, "fr"),
  date: (a, b) => (b.date ?? "").localeCompare(a.date ?? "") || a.title.localeCompare(b.title, "fr"),
  pages: (a, b) => b.pages - a.pages || a.title.localeCompare(b.title, "fr"),
};

export const arrive = async () => {
  forget(); // the corpus may have been published again
  if (!$("b17-books").children.length) $("b17-books").replaceChildren(...Array.from({ length: 5 }, () => make("li", "b17-bone b17-book")));
  const all = await documents();
  const kinds = [...new Set(all.map((d) => d.kind))].sort((a, b) => a.localeCompare(b, "fr"));
  const chosen = $("b17-kind").value;
  $("b17-kind").replaceChildren(new Option("Tous", ""), ...kinds.map((kind) => new Option(titled(kind), kind)));
  $("b17-kind").value = kinds.includes(chosen) ? chosen : "";
  list();
};

const list = async () => {
  const words = folded($("b17-find").value).split(/\s+/).filter(Boolean);
  const kind = $("b17-kind").value;
  const all = await documents();
  const kept = all.filter((d) => {
    const text = folded([d.title, d.publisher, d.kind, d.date, ...d.authors].filter(Boolean).join(" "));
    return (!kind || d.kind === kind) && words.every((word) => text.includes(word));
  });
  kept.sort(ORDERS[$("b17-order").value]);
  const pages = kept.reduce((sum, d) => sum + d.pages, 0);
  $("b17-count").textContent = !all.length
    ? "La bibliothèque ne répond pas encore. Revenez dans quelques secondes."
    : kept.length
      ? `${counted(kept.length, "document")}, ${counted(pages, "page")}.`
      : "Aucun titre ne correspond. Essayez «\u00a0Chercher dans les pages\u00a0».";
  $("b17-books").replaceChildren(...kept.map(book));
};

const book = (info) => {
  const item = make("li", "b17-book");
  const title = make("h3");
  const opens = button("b17-open", spaced(info.title), () => openDocument(info, opens));
  if (info.language && info.language !== "fr") opens.lang = info.language;
  title.append(opens);
  const about = [titled(info.kind), when(info.date), info.publisher || info.authors.join(", "), counted(info.pages, "page")];
  const ask = button("b17-chip", "Interroger ce document", () => askOnly({ id: info.id, title: info.title }), "chat");
  ask.setAttribute("aria-label", `Interroger ce document\u00a0: ${info.title}`);
  item.append(title, make("p", "b17-meta", about.filter(Boolean).join(" · ")), ask);
  return item;
};

const searchPages = async () => {
  const query = $("b17-find").value.trim();
  $("b17-found").replaceChildren();
  if (!query) return $("b17-find").focus();
  $("b17-count").textContent = "Recherche dans les pages…";
  const kind = $("b17-kind").value;
  const ids = kind ? (await documents()).filter((d) => d.kind === kind).map((d) => d.id).slice(0, 200) : [];
  const found = await json("v1/search", { query, k: 6, document_ids: ids });
  await list();
  if (!found) {
    $("b17-count").textContent = "La recherche n’a pas abouti. Réessayez dans quelques secondes.";
    return;
  }
  $("b17-found").replaceChildren(...found.passages.map((passage) => {
    const item = make("li");
    item.append(passageCard(passage));
    return item;
  }));
  $("b17-count").textContent = `${counted(found.passages.length, "passage")} parmi les plus proches de «\u00a0${query}\u00a0».`;
};

export const bindLibrary = () => {
  $("b17-find").addEventListener("input", () => {
    $("b17-found").replaceChildren();
    list();
  });
  $("b17-kind").addEventListener("change", list);
  $("b17-order").addEventListener("change", list);
  $("b17-shelf").addEventListener("submit", (event) => {
    event.preventDefault();
    searchPages();
  });
};
