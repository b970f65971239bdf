// Sorting by a click on a heading, search, and a plan beside the optimum's by a click on its gap.
const text = cell => cell ? cell.textContent.trim() : "";
const figure = cell => parseFloat(text(cell).replace(/,/g, ""));
function sort(table, column, heading) {
  const rising = heading.ariaSort !== "ascending";
  for (const other of table.tHead.rows[0].cells) other.ariaSort = null;
  heading.ariaSort = rising ? "ascending" : "descending";
  table.querySelectorAll("tr.plan").forEach(row => row.remove());
  const rows = [...table.tBodies[0].rows];
  const words = column === 0 && rows.some(row => isNaN(figure(row.cells[0])));
  const order = (a, b) => {
    if (words) return text(a.cells[0]).localeCompare(text(b.cells[0])) * (rising ? 1 : -1);
    const [x, y] = [figure(a.cells[column]), figure(b.cells[column])];
    return isNaN(x) - isNaN(y) || (isNaN(x) ? 0 : rising ? x - y : y - x);
  };
  table.tBodies[0].append(...rows.sort(order));
}
function press(cell, action) {
  const button = document.createElement("button");
  button.append(...cell.childNodes);
  button.onclick = action;
  cell.append(button);
}
function search(table, words) {
  table.querySelectorAll("tr.plan").forEach(row => row.remove());
  const wanted = words.toLowerCase().split(/\s+/);
  for (const row of table.tBodies[0].rows) {
    const name = text(row.cells[0]).toLowerCase();
    row.hidden = !wanted.every(word => name.includes(word));
  }
}
function show(row, names, plans) {
  const open = row.nextElementSibling;
  if (open && open.classList.contains("plan")) { open.remove(); if (open.dataset.names === names.join()) return; }
  const shown = row.cloneNode(false);
  shown.className = "plan";
  shown.dataset.names = names.join();
  const cell = shown.insertCell();
  cell.colSpan = row.cells.length;
  const box = cell.appendChild(document.createElement("div"));
  box.className = "plans";
  for (const name of names) {
    const part = box.appendChild(document.createElement("div"));
    part.appendChild(document.createElement("b")).textContent = name;
    part.append(plans[name]);
  }
  row.after(shown);
}
for (const table of document.querySelectorAll("table")) {
  const headings = [...table.tHead.rows[0].cells];
  headings.forEach((heading, column) => press(heading, () => sort(table, column, heading)));
  const box = table.closest(".searched");
  if (!box) continue;
  const field = box.querySelector("input");
  field.oninput = () => search(table, field.value);
  const plans = JSON.parse(box.querySelector("script").textContent), names = headings.map(text);
  const optimum = names.filter(name => name.endsWith(" optimum")).pop();
  for (const row of table.tBodies[0].rows) {
    const mine = plans[text(row.cells[0])] || {};
    names.forEach((name, column) => {
      const pair = [...new Set([name, optimum])].filter(one => one in mine);
      if (name in mine) press(row.cells[column], () => show(row, pair, mine));
    });
  }
}
