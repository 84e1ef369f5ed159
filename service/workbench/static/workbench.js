// Keys, and what is asked for meanwhile. Without it every page works, by links and buttons.
"use strict";

const byId = (id) => document.getElementById(id);
const isTyping = (event) =>
  event.ctrlKey || event.metaKey || event.altKey ||
  event.target.closest("input:not([type=checkbox], [type=radio]), textarea, select, dialog[open]") !== null;

const rows = () => [...document.querySelectorAll("[data-row]")];
const current = () => rows().find((row) => row.getAttribute("aria-selected") === "true");

function go(step) {
  const all = rows();
  if (!all.length) return;
  const now = all.indexOf(current());
  const next = all[Math.max(0, Math.min(all.length - 1, now + step))];
  all.forEach((row) => row.setAttribute("aria-selected", String(row === next)));
  (next.querySelector("[data-open]") || next.querySelector("a, button, input") || next).focus();
}

// Candidates: what is chosen has a number, its place in the order.
const form = document.querySelector("[data-choose]");
const orders = () => [...form.querySelectorAll("[data-candidate] input")];

function show() {
  orders().forEach((each) =>
    each.closest("[data-candidate]").classList.toggle("is-picked", each.value.trim() !== ""));
}

function pick(place) {
  const field = orders()[place];
  if (!field) return;
  const was = Number(field.value);
  const taken = orders().map((each) => Number(each.value)).filter(Boolean);
  field.value = was ? "" : String(Math.max(0, ...taken) + 1);
  if (was) orders().forEach((each) => { if (Number(each.value) > was) each.value = String(Number(each.value) - 1); });
  show();
  look();
}

// What applying would do, as soon as something is chosen; the answer is the page that `Try` gives.
let asking = 0;
async function look() {
  const place = byId("outcome");
  const mine = ++asking;
  if (!place) return;
  if (!orders().some((each) => each.value.trim())) { place.hidden = true; return; }
  place.hidden = false;
  place.setAttribute("aria-busy", "true");
  const sent = new URLSearchParams(new FormData(form));
  sent.set("step", "try");
  if (!sent.get("reason_code")) sent.set("reason_code", form.querySelector("[data-reason]")?.value || "");
  try {
    const answer = await fetch(form.getAttribute("action"), { method: "POST", body: sent });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (mine !== asking) return;
    const told = page.querySelector(answer.ok ? "#outcome" : "[role=alert]");
    place.replaceChildren(...(told ? told.cloneNode(true).childNodes : [page.querySelector("h1") || "no answer"]));
  } catch {
    if (mine === asking) place.textContent = "It could not be tried: the service does not answer. Nothing was changed.";
  }
  if (mine === asking) place.removeAttribute("aria-busy");
}

function nextReason() {
  const all = [...form.querySelectorAll("[data-reason]")];
  const next = all[(all.findIndex((each) => each.checked) + 1) % all.length];
  if (next) { next.checked = true; next.focus(); }
}

if (form) {
  form.addEventListener("input", (event) => {
    if (event.target.closest("[data-candidate]")) { show(); look(); }
  });
  if (byId("outcome")?.hidden && !document.querySelector("[role=alert]")) look();
}

// A claim that is tried as one types: the answer is the page that `Try it` gives, one at a time.
const tried = byId("tried");
let trying = false, again = false, soon = 0;
async function attempt() {
  if (trying) { again = true; return; }
  trying = true;
  again = false;
  tried.setAttribute("aria-busy", "true");
  const draft = tried.closest("form");
  const sent = new URLSearchParams(new FormData(draft));
  sent.set("step", "try");
  try {
    const answer = await fetch(draft.getAttribute("action"), { method: "POST", body: sent });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const told = page.querySelector(answer.ok ? "#tried" : "[role=alert]");
    tried.replaceChildren(...(told ? told.cloneNode(true).childNodes : []));
    if (answer.ok) document.querySelectorAll("[data-checks]").forEach((each) =>
      each.replaceChildren(...(page.getElementById(each.id)?.childNodes || [])));
  } catch {
    tried.textContent = "It could not be tried: the service does not answer. What you typed is still here.";
  }
  trying = false;
  if (again) attempt();
  else tried.removeAttribute("aria-busy");
}
if (tried) {
  tried.closest("form").addEventListener("input", () => {
    clearTimeout(soon);
    if (byId("claim").value.trim()) soon = setTimeout(attempt, 700);
  });
}

const KEYS = {
  "/": () => byId("q")?.focus(),
  "?": () => byId("keys")?.showModal(),
  j: () => go(1),
  k: () => go(-1),
};
if (form) {
  KEYS.r = nextReason;
  for (let place = 0; place < 9; place += 1) KEYS[place + 1] = () => pick(place);
}
if (document.querySelector("table.items")) {
  KEYS.a = () => current()?.querySelector("[data-take]")?.click();
}

document.addEventListener("keydown", (event) => {
  if (isTyping(event)) return;
  const button = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  const act = KEYS[event.key] || (button && (() => (button.focus(), button.click())));
  if (!act) return;
  event.preventDefault();
  act();
});

document.querySelectorAll(".keys").forEach((each) => { each.hidden = false; });

// How much waits: a note when that changed, so that nothing moves under the reader's eyes.
const live = byId("live");
if (live) {
  const count = (page) => page.querySelector("[data-total]")?.dataset.total;
  const seen = count(document);
  setInterval(async () => {
    if (document.hidden) return;
    try {
      const answer = await fetch(location.href);
      if (!answer.ok) return;
      const now = count(new DOMParser().parseFromString(await answer.text(), "text/html"));
      live.hidden = now === seen;
      live.textContent = `now ${now} wait: load the page again`;
    } catch { /* it is asked again */ }
  }, 20000);
}
