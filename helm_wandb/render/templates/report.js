"use strict";
// Sorts a table by the column whose head is pressed; unknown values stay last.
const collator = new Intl.Collator("en", { numeric: true });
const quantity = (text) => Number.parseFloat(text.replaceAll("−", "-").replace(/^[▼▲]\s/, "").replace(/[±<]/, "").replace(/^[+]/, ""));
const byQuantity = (one, other) => one - other;
const sort = (head) => {
  const table = head.closest("table");
  const isNumeric = head.classList.contains("number");
  // The best are mostly the largest; names begin with A.
  const first = isNumeric ? "descending" : "ascending";
  const second = isNumeric ? "ascending" : "descending";
  const order = head.getAttribute("aria-sort") === first ? second : first;
  for (const other of head.parentElement.children) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", order);
  const rows = [...table.tBodies[0].rows].map((row) => {
    const text = row.cells[head.cellIndex].textContent.trim();
    return { row, value: isNumeric ? quantity(text) : text };
  });
  const isKnown = ({ value }) => !Number.isNaN(value) && value !== "–";
  const known = rows.filter(isKnown);
  const compare = isNumeric ? byQuantity : collator.compare;
  const sign = order === "descending" ? -1 : 1;
  known.sort((one, other) => sign * compare(one.value, other.value));
  const unknown = rows.filter((one) => !isKnown(one));
  table.tBodies[0].append(...[...known, ...unknown].map(({ row }) => row));
};
for (const button of document.querySelectorAll("th > button")) {
  button.addEventListener("click", () => sort(button.parentElement));
}
// Shows a point's words below its plot. Tab reaches the first point, the arrow keys the others.
for (const figure of document.querySelectorAll("figure")) {
  const points = [...figure.querySelectorAll("[data-words]")];
  const shown = figure.querySelector(".words");
  const hide = () => { shown.textContent = ""; };
  figure.addEventListener("focusout", hide);
  figure.addEventListener("pointerleave", hide); // not the point's: the words can be selected
  for (const [at, point] of points.entries()) {
    const native = point.querySelector("title");
    const words = native?.textContent ?? point.title;
    native?.remove();
    if (!native) {
      point.removeAttribute("title");
      point.setAttribute("aria-label", words);
    }
    point.setAttribute("tabindex", at ? -1 : 0);
    const show = () => { shown.textContent = words; };
    point.addEventListener("focus", show);
    point.addEventListener("pointerenter", show);
    point.addEventListener("keydown", (event) => {
      if (event.key === "Escape") hide();
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      const next = points[at + step];
      if (!next) return;
      event.preventDefault();
      point.setAttribute("tabindex", -1);
      next.setAttribute("tabindex", 0);
      next.focus();
    });
  }
}
