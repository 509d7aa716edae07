"""The parts of the HTML page that are the same in every report. No script but ours may run in it, nothing is loaded."""

from __future__ import annotations

import base64
import hashlib

STYLE = """
:root { color-scheme: light dark; --ink: #1a1a1a; --quiet: #565656; --paper: #ffffff; --line: #d4d4d4;
  --shade: #f4f6f8; --accent: #005a9c; --warn: #8a3b00; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8e8e8; --quiet: #b0b0b0; --paper: #16181b; --line: #3c4046; --shade: #20242a;
    --accent: #7cc0ff; --warn: #ffb37a; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem clamp(.75rem, 3vw, 2rem) 4rem; max-width: 76rem; background: var(--paper);
  color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1, h2, h3, h4 { line-height: 1.25; }
h2 { margin-top: 3rem; padding-top: .75rem; border-top: 2px solid var(--line); }
a { color: var(--accent); }
nav ul { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: .25rem .5rem; }
nav a { display: inline-block; padding: .35rem .7rem; border: 1px solid var(--line); border-radius: 1rem; }
.scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: .4rem; margin: .75rem 0; }
.scroll:focus-visible, a:focus-visible, button:focus-visible, summary:focus-visible {
  outline: 3px solid var(--accent); outline-offset: 1px; }
table { border-collapse: separate; border-spacing: 0; width: 100%; font-variant-numeric: tabular-nums;
  overflow-wrap: normal; }
caption { text-align: left; padding: .5rem .7rem; font-weight: 600; }
th, td { padding: .4rem .7rem; border-top: 1px solid var(--line); text-align: right; vertical-align: top;
  white-space: nowrap; background: var(--paper); }
th { font-weight: 600; }
thead th { background: var(--shade); vertical-align: bottom; }
tbody tr:nth-child(even) > * { background: var(--shade); }
th.name, td.text, th.text { text-align: left; }
th.name { position: sticky; left: 0; box-shadow: 1px 0 0 var(--line); }
thead th.name { z-index: 1; }
tbody th.name { font-weight: 500; }
tbody th.name span { display: inline-block; min-width: 6.5rem; max-width: 26rem; white-space: normal;
  overflow-wrap: anywhere; }
td.text { white-space: normal; min-width: 14rem; width: 100%; overflow-wrap: anywhere; }
sup { line-height: 0; }
.best { color: var(--accent); font-weight: 700; }
.interval { display: block; color: var(--quiet); font-size: .8rem; }
thead button { font: inherit; color: inherit; background: none; border: 0; padding: .1rem 0; cursor: pointer;
  text-align: inherit; text-decoration: underline dotted; text-underline-offset: .2em; }
th[aria-sort=ascending] button::after { content: " \\25b4"; color: var(--accent); }
th[aria-sort=descending] button::after { content: " \\25be"; color: var(--accent); }
.notes, .signatures { color: var(--quiet); font-size: .88rem; padding-left: 1.3rem; }
.signatures { font-family: ui-monospace, monospace; font-size: .8rem; }
.warn { color: var(--warn); border-left: 4px solid; padding-left: .7rem; }
figure { margin: 1rem 0; width: fit-content; max-width: 100%; overflow-x: auto; background: #ffffff;
  border: 1px solid var(--line); border-radius: .4rem; }
figure img { display: block; max-width: 100%; height: auto; }
details { margin: .6rem 0; }
summary { cursor: pointer; font-weight: 600; padding: .3rem 0; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
@media (max-width: 40rem) {
  th, td { padding: .35rem .5rem; font-size: .92rem; }
  tbody th.name span { max-width: 8.5rem; }
  figure img { max-width: none; height: auto; width: max(100%, 36rem); }
}
@media print { .scroll { overflow: visible; } th, td { white-space: normal; } }
"""

# Sorting by a column: numbers by their value, the better end first; text by the alphabet; missing values last always
SCRIPT = """
"use strict";
for (const table of document.querySelectorAll("table[data-sortable]")) {
  const head = table.tHead.rows[0], body = table.tBodies[0];
  const said = table.closest("section").querySelector("[role=status]");
  const key = (row, column) => row.cells[column].dataset.value;
  const sort = (column, ascending) => {
    const number = head.cells[column].dataset.kind === "number";
    const rows = Array.from(body.rows);
    rows.sort((a, b) => {
      const [x, y] = [key(a, column), key(b, column)];
      if (x === "" || y === "") return (x === "") - (y === "");
      const order = number ? Number(x) - Number(y) : x.localeCompare(y);
      return ascending ? order : -order;
    });
    body.append(...rows);
    for (const cell of head.cells) cell.removeAttribute("aria-sort");
    head.cells[column].setAttribute("aria-sort", ascending ? "ascending" : "descending");
    said.textContent = "Sorted by " + head.cells[column].dataset.name + (ascending ? ", ascending" : ", descending");
  };
  Array.from(head.cells).forEach((cell, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...cell.querySelector(".label").childNodes);
    cell.querySelector(".label").append(button);
    button.addEventListener("click", () => {
      const now = cell.getAttribute("aria-sort");
      sort(column, now === null ? cell.dataset.first === "ascending" : now === "descending");
    });
  });
}
"""


def policy() -> str:
    """Content-Security-Policy: our style, our script and pictures in the page itself; nothing else is loaded or run."""
    script, style = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (SCRIPT, STYLE))
    return (
        f"default-src 'none'; img-src data:; style-src 'sha256-{style}'; script-src 'sha256-{script}'; base-uri 'none'"
    )
