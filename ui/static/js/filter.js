// One document at a time: the filter, always in sight above the question.
import { $, announce } from "./dom.js";
import { conversation, save } from "./store.js";
import { go } from "./views.js";

export const showFilter = () => {
  const filter = conversation.filter;
  $("b17-filter").hidden = !filter;
  $("b17-filter").querySelector("strong").textContent = filter?.title ?? "";
  $("b17-question").placeholder = filter ? "Votre question sur ce document…" : "Votre question…";
};

export const askOnly = (filter) => {
  conversation.filter = filter;
  save();
  showFilter();
  go("");
  announce(`Vos questions portent maintenant sur un seul document\u00a0: ${filter.title}.`);
  $("b17-question").focus();
};

const everywhere = () => {
  conversation.filter = null;
  save();
  showFilter();
  announce("Vos questions portent de nouveau sur tout le corpus.");
  $("b17-question").focus();
};

export const bindFilter = () => {
  $("b17-filter").querySelector("button").addEventListener("click", everywhere);
  showFilter();
};
