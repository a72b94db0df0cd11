// The two faces of the page, conversation and library, by the address's fragment: the browser's back button works.
import { $ } from "./dom.js";

const NAMES = { "": "conversation", bibliotheque: "library" };
const TITLES = { conversation: "Boussole 17", library: "Bibliothèque · Boussole 17" };
const arrivals = { conversation: () => {}, library: () => {} };

export const onArrival = (view, act) => { arrivals[view] = act; };

export const go = (fragment) => {
  if (location.hash.replace(/^#\/?/, "") === fragment) return;
  location.hash = `#/${fragment}`;
  show();
};

export const view = () => NAMES[location.hash.replace(/^#\/?/, "")] ?? "conversation";

const show = () => {
  const current = view();
  if ($("b17").dataset.view === current) return;
  $("b17").dataset.view = current;
  paint();
  window.scrollTo({ top: 0, behavior: "instant" });
  arrivals[current]();
};

const paint = () => {
  const current = view();
  $("b17").dataset.view = current;
  $("b17-conversation").hidden = current !== "conversation";
  $("b17-library").hidden = current !== "library";
  document.title = TITLES[current];
  for (const link of document.querySelectorAll("#b17-views a")) {
    if (link.dataset.view === current) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
};

export const bindViews = () => {
  window.addEventListener("hashchange", show);
  paint();
  arrivals[view()]();
};
