// The conversation: asks, shows verified text as it comes, stops, asks again, edits the last question.
import { actions } from "./actions.js";
import { body, hush } from "./answer.js";
import { answers, json } from "./api.js";
import { $, announce, button, counted, make, pageOf, quoted, runs, spaced, wait } from "./dom.js";
import { showFilter } from "./filter.js";
import { closeSource, openCitation, passageCard } from "./source.js";
import { conversation, history, save } from "./store.js";
import { go } from "./views.js";

const FALLBACKS = {
  llm_unavailable: "Le modèle de rédaction n’a pas répondu\u00a0: voici les phrases du corpus.",
  llm_unverified: "Le texte rédigé n’a pas passé la vérification\u00a0: voici les phrases du corpus.",
};
const SEARCHING = "Je cherche dans le corpus…";
let running = null;

export const layout = () => {
  $("b17").classList.toggle("started", conversation.turns.length > 0);
  $("b17-send").textContent = running ? "Arrêter" : "Demander";
};

const drop = (entry, turn) => {
  conversation.turns = conversation.turns.filter((t) => t !== entry);
  turn.remove();
};

const LONG = 200; // characters: beyond, a question is set like text, so that its answer stays in sight

const draw = (entry) => {
  const turn = make("article", "b17-turn");
  const asked = make("h2", entry.question.length > LONG ? "b17-asked long" : "b17-asked", spaced(entry.question));
  asked.tabIndex = -1;
  turn.append(asked);
  if (entry.filter) turn.append(make("p", "b17-scope", `Dans «\u00a0${entry.filter.title}\u00a0»`));
  const text = make("div", "b17-text");
  turn.append(text);
  $("b17-log").append(turn);
  return turn;
};

const bones = (turn) => {
  const box = make("div", "b17-wait");
  box.append(make("p", "", SEARCHING), make("span", "b17-bone"), make("span", "b17-bone"), make("span", "b17-bone"));
  turn.querySelector(".b17-text").append(box);
};

export const ask = async (raw, filter = conversation.filter) => {
  const question = raw.trim();
  if (!question || running) return;
  go("");
  hush();
  const typing = document.activeElement === $("b17-question");
  const earlier = history();
  const entry = { question, ...(filter && { filter }) };
  document.querySelectorAll(".b17-last").forEach((row) => row.remove());
  conversation.turns.push(entry);
  save();
  const turn = draw(entry);
  const target = turn.querySelector(".b17-text");
  target.setAttribute("aria-live", "polite");
  target.setAttribute("aria-busy", "true");
  bones(turn);
  const mine = (running = new AbortController());
  layout();
  const id = `page-${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;
  queue(turn, mine.signal, id);
  turn.scrollIntoView({ block: "start" });
  // A clicked suggestion keeps no focus once the first screen is gone: the question takes it.
  if (!typing) turn.querySelector(".b17-asked").focus({ preventScroll: true });
  let text = "";
  const citations = [];
  try {
    const body_ = { question, history: earlier, stream: true, ...(filter && { document_ids: [filter.id] }) };
    for await (const { event, data } of answers(body_, mine.signal, id, (why, left) => patience(turn, why, left))) {
      if (event === "citation") citations.push(data);
      if (event === "text") body(turn, (text += data.delta), citations);
      if (event === "done") entry.answer = data;
    }
    finish(entry, turn);
  } catch (error) {
    interrupted(entry, turn, error);
  } finally {
    target.setAttribute("aria-busy", "false");
    if (running === mine) running = null;
    save();
    layout();
  }
};

// Where the first words are slow to come, the question's place in the queue.
const SLOW = 2000; // milliseconds
const queue = async (turn, signal, id) => {
  const line = turn.querySelector(".b17-wait p");
  while (!signal.aborted) {
    await wait(SLOW, signal).catch(() => {});
    if (signal.aborted || !line.isConnected) return;
    if (line.textContent !== SEARCHING && !line.dataset.queue) continue; // already told why it waits
    const place = (await json(`queue.json?id=${id}`))?.place ?? 0;
    if (!line.isConnected) return;
    line.dataset.queue = place > 0 ? "true" : "";
    line.textContent = place === 0 ? SEARCHING : place === 1 ? "Beaucoup de questions en ce moment\u00a0: la vôtre est la prochaine…" : `Beaucoup de questions en ce moment\u00a0: la vôtre est la ${place}ᵉ de la file…`;
  }
};

const patience = (turn, why, left) => {
  const line = turn.querySelector(".b17-wait p");
  if (!line) return;
  delete line.dataset.queue;
  line.textContent = why ? `${spaced(why)} Nouvel essai dans ${left}\u00a0s.` : SEARCHING;
};

const interrupted = (entry, turn, error) => {
  const stopped = error.name === "AbortError";
  const target = turn.querySelector(".b17-text");
  target.querySelector(".b17-wait")?.remove();
  const message = stopped ? "Réponse arrêtée." : spaced(error.message);
  target.append(make("p", stopped ? "b17-note" : "b17-error", message)); // what was verified before stays
  again(entry, turn, stopped ? "Reposer la question" : "Réessayer");
};

const again = (entry, turn, label, place = turn, look = "b17-chip") => {
  const row = make("div", "b17-last");
  row.append(
    button(look, label, () => {
      if (running) return;
      drop(entry, turn);
      ask(entry.question, entry.filter ?? null);
    }, "again"),
    button(look, "Modifier la question", () => edit(entry, turn), "edit"),
  );
  place.append(row);
};

// --- an answer that is whole

export const finish = (entry, turn) => {
  const { answer } = entry;
  body(turn, answer.answer, answer.citations);
  turn.classList.add(answer.status);
  if (answer.fallback) turn.append(make("p", "b17-note b17-fallback", FALLBACKS[answer.fallback] ?? ""));
  else if (answer.synthesizer === "llm") turn.append(make("p", "b17-note b17-fallback", "Texte rédigé par un modèle de langue, vérifié phrase par phrase."));
  const searched = answer.timings_ms.retrieve > 0; // « bonjour » isn't a question that the corpus leaves open
  if (answer.status === "abstained" && searched) nearest(entry, turn);
  const foot = make("div", "b17-foot");
  if (answer.citations.length) foot.append(...sources(answer), notes(answer));
  const row = answer.status === "answered" || searched ? actions(entry) : make("div", "b17-actions");
  foot.append(row);
  foot.append(suggestions(answer));
  turn.append(foot);
  document.querySelectorAll(".b17-last").forEach((row) => row.remove());
  again(entry, turn, "Reposer", row, "b17-tool");
  announce(answer.status === "answered" ? `Réponse prête\u00a0: ${counted(answer.sentences.length, "phrase")}, ${counted(answer.citations.length, "citation")}.` : "");
};

// Each cited page once, with the numbers that call it.
const sources = (answer) => {
  const pages = new Map();
  for (const citation of answer.citations) {
    const key = `${citation.document_id}/${citation.page}`;
    pages.set(key, [...(pages.get(key) ?? []), citation]);
  }
  const list = make("ol", "b17-sources");
  for (const cited of pages.values()) {
    const [first] = cited;
    const link = make("button", "b17-source");
    link.type = "button";
    link.append(
      make("span", "b17-numbers", runs(cited.map((c) => c.n))),
      make("span", "b17-name", first.title),
      make("span", "b17-meta", pageOf(first)),
    );
    link.addEventListener("click", () => openCitation(answer.citations, first, link));
    const item = make("li");
    item.append(link);
    list.append(item);
  }
  return [make("h3", "b17-small", pages.size > 1 ? "Pages citées" : "Page citée"), list];
};

// On paper, the quotes stand under the answer.
const notes = (answer) => {
  const list = make("ol", "b17-paper");
  for (const c of answer.citations) list.append(make("li", "", `${c.title}, ${pageOf(c)}\u00a0: ${quoted(c.quote)}`));
  return list;
};

const suggestions = (answer) => {
  const box = make("div", "b17-next");
  if (!answer.suggestions.length) return box;
  box.append(make("h3", "b17-small", "Vous pouvez demander ensuite"));
  for (const suggestion of answer.suggestions) box.append(button("b17-chip", spaced(suggestion), () => ask(suggestion)));
  return box;
};

// The corpus doesn't say: what it holds that is nearest, to read, without claiming that it answers.
const nearest = async (entry, turn) => {
  const box = make("div", "b17-nearest");
  turn.append(box);
  const body_ = { query: entry.answer.standalone_question, k: 3, ...(entry.filter && { document_ids: [entry.filter.id] }) };
  const found = await json("v1/search", body_);
  if (!found?.passages.length) return;
  const list = make("ul", "b17-cards");
  for (const passage of found.passages) {
    const item = make("li");
    item.append(passageCard(passage));
    list.append(item);
  }
  box.append(make("h3", "b17-small", "Les pages les plus proches, si elles vous aident"), list);
};

// --- the last question, edited where it stands

const edit = (entry, turn) => {
  if (running) return;
  const heading = turn.querySelector(".b17-asked");
  const form = make("form", "b17-edit");
  const text = make("textarea");
  text.value = entry.question;
  text.maxLength = $("b17-question").maxLength;
  text.setAttribute("aria-label", "Modifier votre question");
  const row = turn.querySelector(".b17-last");
  const leave = () => {
    form.replaceWith(heading);
    row.hidden = false;
    row.lastElementChild.focus();
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!text.value.trim() || running) return;
    closeSource(false);
    drop(entry, turn);
    ask(text.value, entry.filter ?? null);
  });
  text.addEventListener("keydown", (event) => {
    if (event.key === "Escape") leave();
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
  form.append(text, button("b17-chip b17-main", "Demander", () => form.requestSubmit()), button("b17-chip", "Annuler", leave));
  heading.replaceWith(form);
  row.hidden = true;
  text.focus();
};

const renew = () => {
  running?.abort();
  running = null;
  Object.assign(conversation, { turns: [], filter: null });
  save();
  $("b17-log").replaceChildren();
  closeSource(false);
  showFilter();
  go("");
  layout();
  $("b17-question").focus();
};

// The tab's conversation, drawn again; a question whose answer the reload cut can be asked again.
export const redraw = () => {
  for (const entry of conversation.turns) {
    const turn = draw(entry);
    if (entry.answer) {
      finish(entry, turn);
    } else {
      turn.querySelector(".b17-text").append(make("p", "b17-note", "Cette question est restée sans réponse."));
      document.querySelectorAll(".b17-last").forEach((row) => row.remove());
      again(entry, turn, "Reposer la question");
    }
  }
  announce("");
  layout();
  toLast();
};

export const toLast = () => $("b17-log").lastElementChild?.scrollIntoView({ block: "start", behavior: "instant" });

export const bindConversation = () => {
  $("b17-form").addEventListener("submit", (event) => {
    event.preventDefault();
    if (running) return running.abort();
    const asked = $("b17-question").value;
    if (!asked.trim()) return;
    $("b17-question").value = "";
    ask(asked);
  });
  $("b17-question").addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    if (!running) $("b17-form").requestSubmit(); // the key asks; only the button stops
  });
  for (const example of document.querySelectorAll("[data-example]")) {
    example.addEventListener("click", () => ask(example.dataset.example));
  }
  $("b17-new").addEventListener("click", renew);
};
