// An answer on the page: its sentences, the numbers that call their citations, and the quote shown beside a number.
import { $, make, pageOf, quoted, spaced } from "./dom.js";
import { openCitation, prefetch } from "./source.js";

// The answer's text is lines; a line that begins with "- " is a list item; [n] calls a citation.
// Only what is new is added: what is read aloud, or has the focus, stays in place.
export const body = (turn, text, citations) => {
  const target = turn.querySelector(".b17-text");
  const lines = text.split("\n").filter((line) => line.trim());
  const drawn = [...target.querySelectorAll("[data-line]")];
  if (!drawn.length) target.replaceChildren();
  lines.forEach((line, at) => {
    const before = drawn[at]?.dataset.line;
    if (before === line) return;
    const item = line.startsWith("- ");
    const added = before && line.startsWith(before) && !/\[\d*$/.test(before);
    const element = drawn[at] ?? make(item ? "li" : "p");
    if (before && !added) element.replaceChildren();
    fill(element, added ? line.slice(before.length) : item ? line.slice(2) : line, citations);
    element.dataset.line = line;
    if (drawn[at]) return;
    if (item && target.lastElementChild?.tagName !== "UL") target.append(make("ul"));
    (item ? target.lastElementChild : target).append(element);
  });
};

// A sentence and the numbers that follow it stand together in one span, so that each lights the other.
const fill = (element, text, citations) => {
  let sentence = element.lastElementChild;
  for (const part of text.split(/(\[\d+\])/)) {
    const called = part.match(/^\[(\d+)\]$/);
    const citation = called && citations.find((c) => c.n === Number(called[1]));
    if (citation) {
      (sentence?.querySelector(".b17-kept") ?? sentence ?? element).append(call(citation, citations));
    } else if (!part.trim()) {
      element.append(document.createTextNode(part));
    } else {
      sentence = make("span", "b17-sentence");
      const start = part.match(/^\s*/)[0];
      if (start) element.append(document.createTextNode(start)); // outside, so that it isn't lit
      const [, front, last] = part.slice(start.length).trimEnd().match(/^([^]*?)(\S{1,24}(?:\s+[:;?!»]\S{0,2})?)$/);
      const kept = make("span", "b17-kept"); // a number never begins a line: it stays with its sentence's last word
      kept.append(make("span", "b17-said", spaced(last)), document.createTextNode(/\s$/.test(part) ? "\u00a0" : ""));
      if (front) sentence.append(make("span", "b17-said", spaced(front)));
      sentence.append(kept);
      element.append(sentence);
    }
  }
};

const call = (citation, citations) => {
  const button = make("button", "b17-call", String(citation.n));
  button.type = "button";
  button.dataset.n = citation.n;
  button.dataset.quote = quoted(citation.quote);
  button.dataset.where = `${citation.title}, ${pageOf(citation)}`;
  button.setAttribute("aria-label", `Citation ${citation.n}\u00a0: ${button.dataset.where}`);
  button.addEventListener("click", () => {
    openCitation(citations, citation, button);
    hush();
  });
  button.addEventListener("pointerenter", () => prefetch(citation, button));
  button.addEventListener("focus", () => prefetch(citation, button));
  return button;
};

// --- the quote beside a number: on hover or focus; it stays while the pointer is on it, Escape puts it away (WCAG 1.4.13)

let leaving = 0;
let moved = true; // what slides under a still pointer, when the page scrolls, isn't pointed at

const tell = (event) => {
  if (event.target.closest?.("#b17-tip")) return clearTimeout(leaving);
  const button = event.target.closest?.(".b17-call");
  if (!button || (event.type === "mouseover" && !moved)) return;
  if (event.type === "focusin" && !button.matches(":focus-visible")) return; // the focus that a click gives, or gives back
  clearTimeout(leaving);
  light(button);
  if (button.classList.contains("open")) return;
  const tip = $("b17-tip");
  tip.replaceChildren(make("strong", "", button.dataset.where), make("span", "", button.dataset.quote));
  tip.hidden = false;
  const box = button.getBoundingClientRect();
  const room = document.documentElement.clientWidth - tip.offsetWidth - 12;
  const above = box.bottom + tip.offsetHeight + 16 > window.innerHeight;
  tip.style.left = `${window.scrollX + Math.max(12, Math.min(box.left - 12, room))}px`;
  tip.style.top = `${window.scrollY + (above ? box.top - tip.offsetHeight - 6 : box.bottom + 6)}px`;
  button.setAttribute("aria-describedby", "b17-tip");
};

const light = (button) => {
  document.querySelectorAll(".b17-sentence.lit").forEach((s) => s.classList.remove("lit"));
  button?.closest(".b17-sentence")?.classList.add("lit");
};

export const hush = () => {
  $("b17-tip").hidden = true;
  light(null);
  document.querySelectorAll(".b17-call[aria-describedby]").forEach((b) => b.removeAttribute("aria-describedby"));
};

const left = () => {
  clearTimeout(leaving);
  leaving = setTimeout(hush, 150); // time to reach the quote with the pointer
};

export const bindTips = () => {
  document.addEventListener("click", () => { moved = false; }, true);
  document.addEventListener("pointermove", () => { moved = true; }, true);
  for (const place of [$("b17-log"), $("b17-tip")]) {
    place.addEventListener("mouseover", tell);
    place.addEventListener("mouseout", left);
    place.addEventListener("focusin", tell);
    place.addEventListener("focusout", left);
  }
};
