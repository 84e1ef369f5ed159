// Keys, and what is asked for meanwhile. Without it every page works, by links and buttons.
"use strict";

const byId = (id) => document.getElementById(id);
const isTyping = (event) =>
  event.ctrlKey || event.metaKey || event.altKey ||
  event.target.closest("input:not([type=checkbox]), textarea, select, dialog") !== null;

const rows = () => [...document.querySelectorAll("[data-row]")];
const current = () => rows().find((row) => row.getAttribute("aria-selected") === "true");

function go(step) {
  const all = rows();
  if (!all.length) return;
  const now = all.indexOf(current());
  const next = all[Math.max(0, Math.min(all.length - 1, now + step))];
  all.forEach((row) => row.setAttribute("aria-selected", String(row === next)));
  (next.querySelector("a, button, input") || next).focus();
}

const KEYS = {
  "/": () => byId("q")?.focus(),
  "?": () => byId("keys")?.showModal(),
  j: () => go(1),
  k: () => go(-1),
};

document.addEventListener("keydown", (event) => {
  if (isTyping(event)) return;
  const button = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  const act = KEYS[event.key] || (button && (() => (button.focus(), button.click())));
  if (!act) return;
  event.preventDefault();
  act();
});

document.querySelectorAll(".keys").forEach((each) => { each.hidden = false; });
