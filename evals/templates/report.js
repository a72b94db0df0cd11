"use strict";
const form = document.querySelector(".filters");
const articles = [...document.querySelectorAll(".trouble")];
const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
function filter() {
  const wanted = Object.fromEntries(new FormData(form));
  const words = plain(wanted.words).split(/\s+/).filter(Boolean);
  let left = 0;
  for (const article of articles) {
    const { kind, documents, problems } = article.dataset;
    const text = words.length ? plain(article.textContent) : "";
    const shown = (!wanted.kind || kind === wanted.kind)
      && (!wanted.document || documents.split(" ").includes(wanted.document))
      && (!wanted.problem || problems.split("|").includes(wanted.problem))
      && words.every((word) => text.includes(word));
    article.hidden = !shown;
    left += shown;
  }
  form.querySelector("output").textContent = `${left} sur ${articles.length}`;
}
if (form) {
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  filter();
}
// A citation opens its page's text, with its quote marked; without JavaScript the link goes to the page further down.
const dialog = document.querySelector("dialog");
document.addEventListener("click", (event) => {
  const link = event.target.closest("a.cite");
  const page = link && document.getElementById(link.hash.slice(1));
  if (!page) return;
  event.preventDefault();
  dialog.querySelector("h3").textContent = page.querySelector("summary").textContent;
  const target = dialog.querySelector(".text");
  const text = page.querySelector(".text").textContent;
  const [start, end] = find(text, link.dataset.quote || "");
  target.textContent = "";
  if (end > start) {
    const mark = document.createElement("mark");
    mark.textContent = text.slice(start, end);
    target.append(text.slice(0, start), mark, text.slice(end));
  } else target.textContent = text;
  dialog.showModal();
  target.querySelector("mark")?.scrollIntoView({ block: "center" });
});
function find(text, quote) {
  const at = text.indexOf(quote);
  if (quote && at >= 0) return [at, at + quote.length];
  const words = quote.split(/\s+/).filter(Boolean).map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replace(/['’]/g, "['’]"));
  const match = words.length ? new RegExp(words.join("\\s+"), "i").exec(text) : null;
  return match ? [match.index, match.index + match[0].length] : [0, 0];
}
