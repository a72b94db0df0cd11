// Starts the page once Gradio has drawn its markup.
import { bindExports } from "./actions.js";
import { bindTips, hush } from "./answer.js";
import { json } from "./api.js";
import { ask, bindConversation, redraw, toLast } from "./conversation.js";
import { $, make, wait } from "./dom.js";
import { bindFilter } from "./filter.js";
import { arrive, bindLibrary } from "./library.js";
import { bindSource, closeSource, isOpen } from "./source.js";
import { restore } from "./store.js";
import { bindViews, onArrival, view } from "./views.js";

const CHECK = 3000; // milliseconds between two looks while the index is being opened

// What the corpus holds and what becomes of questions: asked at each visit, and again until the index is open.
const welcome = async () => {
  for (;;) {
    const told = await json("welcome.json");
    if (told) {
      $("b17-holdings").textContent = told.ready ? "" : told.holdings;
      $("b17-privacy").textContent = told.privacy;
    }
    if (told?.ready) {
      $("b17-figures").replaceChildren(...told.figures.map(({ value, label }) => {
        const figure = make("li");
        figure.append(make("strong", "", value), make("span", "", ` ${label}`));
        return figure;
      }));
      return;
    }
    await wait(CHECK);
  }
};

const askFromAddress = () => {
  const address = new URL(location.href);
  const asked = address.searchParams.get("q");
  if (!asked) return;
  address.searchParams.delete("q"); // reading the page again doesn't ask again
  window.history.replaceState(null, "", address);
  ask(asked, null);
};

const escape = (event) => {
  if (event.key !== "Escape") return;
  const menu = document.querySelector(".b17-menu[open]");
  if (menu) {
    menu.open = false;
    menu.querySelector("summary").focus();
    return;
  }
  if (!$("b17-tip").hidden) return hush();
  if (isOpen()) {
    closeSource();
    hush(); // the citation that takes the focus again would show its quote
  }
};

const start = () => {
  if (!$("b17-form")) return;
  drawing.disconnect();
  document.documentElement.lang = "fr";
  document.addEventListener("keydown", escape);
  $("b17-skip").addEventListener("click", (event) => {
    event.preventDefault();
    $(view() === "library" ? "b17-find" : "b17-question").focus();
  });
  restore();
  bindTips();
  bindSource();
  bindExports();
  bindLibrary();
  bindConversation();
  onArrival("library", arrive);
  onArrival("conversation", toLast);
  bindFilter();
  redraw();
  bindViews();
  askFromAddress();
  welcome();
  document.documentElement.classList.add("b17-ready");
};

const drawing = new MutationObserver(start);
drawing.observe(document.documentElement, { childList: true, subtree: true });
start();
