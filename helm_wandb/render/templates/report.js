"use strict";
// Sorts a table by the column whose head is pressed; unknown values stay last.
const number = (text) => Number.parseFloat(text.replaceAll("−", "-").replace(/^±/, ""));
const rank = (cell) => {
  const text = cell.textContent.trim();
  const value = number(text);
  return { text, value, known: text !== "–" && text !== "" };
};
const compare = (one, other) =>
  Number.isNaN(one.value) || Number.isNaN(other.value)
    ? one.text.localeCompare(other.text)
    : one.value - other.value;
for (const button of document.querySelectorAll("th > button")) {
  button.addEventListener("click", () => {
    const head = button.parentElement;
    const table = head.closest("table");
    const column = [...head.parentElement.children].indexOf(head);
    const descending = head.getAttribute("aria-sort") === "ascending";
    for (const other of head.parentElement.children) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", descending ? "descending" : "ascending");
    const rows = [...table.tBodies[0].rows].map((row) => ({ row, key: rank(row.cells[column]) }));
    rows.sort((one, other) => {
      if (one.key.known !== other.key.known) return one.key.known ? -1 : 1;
      const order = compare(one.key, other.key);
      return descending ? -order : order;
    });
    table.tBodies[0].append(...rows.map(({ row }) => row));
  });
}
