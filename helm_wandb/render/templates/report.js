"use strict";
// Sorts a table by the column whose head is pressed; unknown values stay last.
const collator = new Intl.Collator("en", { numeric: true });
const quantity = (text) => Number.parseFloat(text.replaceAll("−", "-").replace(/^±/, ""));
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
