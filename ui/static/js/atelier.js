// The maintainers' view. The key stays in memory: a reload asks for it again.
import { counted, download, make, spaced, when } from "./dom.js";

const HEADLINES = [
  ["facts", "Faits attendus présents"],
  ["cited_page", "Réponses qui citent la bonne page"],
  ["verdict", "Bon choix entre répondre et s’abstenir"],
  ["words_supported", "Mots présents dans les citations"],
];
const NS = "http://www.w3.org/2000/svg";
const percent = (value) => `${(100 * value).toLocaleString("fr", { maximumFractionDigits: 1 })}\u00a0%`;
const day = (moment) => when((moment ?? "").slice(0, 10));

const room = (title, ...content) => {
  const section = make("section");
  section.append(make("h2", "", title), ...content);
  return section;
};

const table = (heads, rows) => {
  const made = make("table");
  const line = (cells, tag) => {
    const row = make("tr");
    for (const cell of cells) {
      const box = make(tag);
      if (tag === "th") box.scope = "col";
      box.append(cell ?? "");
      row.append(box);
    }
    return row;
  };
  const head = make("thead");
  head.append(line(heads, "th"));
  const body = make("tbody");
  body.append(...rows.map((cells) => line(cells, "td")));
  made.append(head, body);
  const scroller = make("div", "scroller");
  scroller.tabIndex = 0;
  scroller.setAttribute("role", "region");
  scroller.setAttribute("aria-label", heads.join(", "));
  scroller.append(made);
  return scroller;
};

const svg = (tag, given) => {
  const element = document.createElementNS(NS, tag);
  for (const [name, value] of Object.entries(given)) element.setAttribute(name, value);
  return element;
};

// One figure over the measures: a line, and at each point its 95 % interval. From 0 to 100 %, so that nothing is made to look larger.
const trend = (name, label, measures) => {
  const points = measures.map((m) => m.summary.metrics[name]).filter(Boolean);
  const box = make("figure");
  if (!points.length) return box;
  const [width, height, edge] = [260, 110, 8];
  const x = (at) => (points.length === 1 ? width / 2 : edge + (at * (width - 2 * edge)) / (points.length - 1));
  const y = (value) => height - edge - value * (height - 2 * edge);
  const last = points.at(-1);
  const plot = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${label}\u00a0: ${points.map((p) => percent(p.value)).join(", puis ")}` });
  for (const value of [0, 0.5, 1]) plot.append(svg("line", { class: "grid", x1: 0, x2: width, y1: y(value), y2: y(value) }));
  for (const value of [0, 1]) {
    const scale = svg("text", { class: "scale", x: width, y: y(value) + (value ? 8 : -2), "text-anchor": "end" });
    scale.textContent = percent(value);
    plot.append(scale);
  }
  points.forEach((p, at) => plot.append(svg("line", { class: "interval", x1: x(at), x2: x(at), y1: y(p.low), y2: y(p.high) })));
  plot.append(svg("polyline", { class: "trend", points: points.map((p, at) => `${x(at)},${y(p.value)}`).join(" ") }));
  points.forEach((p, at) => plot.append(svg("circle", { class: "point", cx: x(at), cy: y(p.value), r: 4 })));
  const said = make("figcaption", "", label);
  box.append(said, make("strong", "", percent(last.value)), make("small", "", ` entre ${percent(last.low)} et ${percent(last.high)}, ${counted(last.n, "question")}`), plot);
  return box;
};

const measures = (state) => {
  if (!state.measures.length) return room("Mesures", make("p", "", "Aucune mesure ici. Faites-en une\u00a0: evals run"));
  const plots = make("div", "plots");
  plots.append(...HEADLINES.map(([name, label]) => trend(name, label, state.measures)));
  const rows = [...state.measures].reverse().map((m) => [day(m.created), String(m.questions), m.index_generation, ...HEADLINES.map(([name]) => (m.summary.metrics[name] ? percent(m.summary.metrics[name].value) : ""))]);
  return room("Mesures", plots, table(["Date", "Questions", "Index", ...HEADLINES.map(([, label]) => label)], rows));
};

const indexings = (state) => {
  const rows = [...state.indexings].reverse().map((i) => [day(i.created), i.name, i.model, String(i.counts.documents ?? ""), String(i.counts.pages ?? ""), String(i.counts.chunks ?? ""), String(i.failures.length + i.page_failures.length)]);
  return room("Indexations", table(["Date", "Génération", "Modèle", "Documents", "Pages", "Passages", "Échecs"], rows));
};

// An opinion whose question was kept can become a reference question, once someone has written what is expected.
const candidate = (row) => ({ id: `avis-${row.answer_id.slice(0, 8)}`, question: row.question, kind: "candidate", answerable: row.status === "answered", comment: row.comment ?? "", rating: row.rating });

const opinions = (state) => {
  if (!state.opinions.length) return room("Avis", make("p", "", "Aucun avis pour l’instant."));
  const boxes = new Map();
  const rows = state.opinions.map((row) => {
    const box = make("input");
    box.type = "checkbox";
    box.disabled = !row.question;
    box.setAttribute("aria-label", `Retenir l’avis du ${day(row.at)}`);
    boxes.set(box, row);
    return [box, day(row.at), row.rating > 0 ? "Utile" : "Inutile", row.comment, row.question ?? "(non conservée)"];
  });
  const take = make("button", "", "Télécharger les avis retenus comme questions candidates");
  take.type = "button";
  take.addEventListener("click", () => {
    const lines = [...boxes].filter(([box]) => box.checked).map(([, row]) => JSON.stringify(candidate(row)));
    if (lines.length) download("candidates.jsonl", new Blob([`${lines.join("\n")}\n`], { type: "application/jsonl" }));
  });
  const told = state.keeps_questions ? "" : "Les questions ne sont pas conservées\u00a0: un avis ne dit donc pas sur quoi il porte.";
  return room("Avis à relire", make("p", "", told), table(["Retenir", "Date", "Avis", "Commentaire", "Question"], rows), take);
};

const unanswered = (state) => {
  if (!state.keeps_questions) return room("Questions restées sans réponse", make("p", "", "Elles ne sont pas conservées (BOUSSOLE_LOG_QUESTIONS)."));
  if (!state.unanswered.length) return room("Questions restées sans réponse", make("p", "", "Aucune."));
  return room("Questions restées sans réponse", table(["Date", "Question"], state.unanswered.map((row) => [day(row.at), row.question])));
};

// What `boussole corpus check` finds, then what the documents' notices lack.
const corpus = (state) => {
  const checked = state.troubles.length
    ? table(["État", "Fichier", "Pourquoi", "Que faire"], state.troubles.map((t) => [t.kind, t.file, spaced(t.message), t.advice]))
    : make("p", "", state.unchecked ? `La vérification n’a pas pu se faire\u00a0: ${state.unchecked}` : "Vérification faite à l’instant (boussole corpus check)\u00a0: rien à signaler.");
  const lacking = state.remarks.length
    ? table(["Document", "Manque"], state.remarks.map((r) => [r.title, r.lacks.join(", ")]))
    : make("p", "", "Chaque document indexé a sa date, son éditeur, sa licence et son fichier.");
  return room("État du corpus", checked, lacking);
};

const form = document.getElementById("key");
const told = document.getElementById("told");
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  told.textContent = "Ouverture…";
  const headers = { Authorization: `Bearer ${form.querySelector("input").value.trim()}` };
  const response = await fetch("atelier.json", { headers }).catch(() => null);
  if (!response?.ok) {
    const refused = response?.status === 401 || response?.status === 403;
    told.textContent = refused ? "Clé refusée. Il faut une clé secrète\u00a0: boussole keys create --name Atelier" : "L’atelier ne répond pas. Réessayez dans quelques secondes.";
    return;
  }
  const state = await response.json();
  told.textContent = "";
  form.hidden = true;
  document.getElementById("rooms").replaceChildren(measures(state), indexings(state), opinions(state), unanswered(state), corpus(state));
});
