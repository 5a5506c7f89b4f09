/* A periodic table whose elements are allowed, required or forbidden. A click, Enter or the space
   bar goes to the next state; arrow keys move; a, r and f set a state at once. Where only some are
   to be picked (`picks`), an element is picked or not, one pick too many lets the oldest go, and
   what cannot be picked is forbidden and stays so. */
const NEXT = { allow: "require", require: "forbid", forbid: "allow" };
const MARKS = { allow: "", require: "✓", forbid: "×" };
const WORDS = { allow: "allowed", require: "required", forbid: "forbidden" };
const PICKED = { allow: "not picked", require: "picked", forbid: "cannot be picked" };
const KEYS = { a: "allow", r: "require", f: "forbid" };
const ARROWS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
const WAIT = 250; // ms: several clicks make one rerun
const tables = new WeakMap();

function make(tag, words, parent, more = {}) {
  const part = Object.assign(document.createElement(tag), more);
  part.textContent = words;
  parent.append(part);
  return part;
}

const having = (table, state) =>
  table.elements.filter(({ symbol }) => table.states[symbol] === state).map(({ symbol }) => symbol);

/* ---- states ---- */

function send(table) {
  clearTimeout(table.timer);
  const { version } = table;
  table.timer = setTimeout(() => {
    table.set("states", { states: { ...table.states }, version });
  }, WAIT);
}

function change(table, states) {
  Object.assign(table.states, states);
  paint(table);
  send(table);
}

/** The states of a preset: what is required stays so where the preset allows it. */
function preset(table, name) {
  const { battery } = table.data, states = {};
  for (const { symbol } of table.elements) {
    const now = table.states[symbol], kept = now === "require" ? "require" : "allow";
    if (name === "none") states[symbol] = table.states[symbol] === "forbid" ? "forbid" : "allow";
    else if (name === "all") states[symbol] = "allow";
    else if (name === "battery") states[symbol] = battery.includes(symbol) ? kept : "forbid";
    else if (name === "only") states[symbol] = now === "require" ? "require" : "forbid";
    else states[symbol] = symbol === "Co" ? "forbid" : now;
  }
  change(table, states);
}

const words = (table) => (table.data.picks ? PICKED : WORDS);

/** Pick an element or let it go. */
function pick(table, symbol) {
  const { states, data } = table;
  if (states[symbol] === "forbid") return;
  table.order = table.order.filter((e) => e !== symbol && states[e] === "require");
  const change_ = { [symbol]: states[symbol] === "require" ? "allow" : "require" };
  if (change_[symbol] === "require") table.order.push(symbol);
  if (table.order.length > data.picks) change_[table.order.shift()] = "allow";
  change(table, change_);
}

function step(table, symbol) {
  if (table.data.picks) pick(table, symbol);
  else change(table, { [symbol]: NEXT[table.states[symbol]] });
}

/* ---- drawing ---- */

function paint(table) {
  for (const { symbol, name } of table.elements) {
    const cell = table.cells.get(symbol), state = table.states[symbol];
    cell.dataset.state = state;
    cell.lastChild.textContent = MARKS[state];
    cell.title = `${name}: ${words(table)[state]}`;
    cell.setAttribute("aria-label", cell.title);
    if (table.data.picks) cell.setAttribute("aria-pressed", state === "require");
    cell.ariaDisabled = Boolean(table.data.picks) && state === "forbid";
  }
  if (table.data.picks) {
    const chosen = having(table, "require");
    table.note.textContent = `${chosen.length} of ${table.data.picks} picked` +
      (chosen.length ? ` (${chosen.join(", ")})` : "");
    return;
  }
  const required = having(table, "require"), forbidden = having(table, "forbid").length;
  const said = required.length ? `${required.length} required (${required.join(", ")})` : "none required";
  const allowed = table.elements.length - required.length - forbidden;
  table.note.textContent = `${said} · ${allowed} allowed · ${forbidden} forbidden`;
}

function move(table, element, [down, right]) {
  let { row, column } = element;
  for (let k = 0; k < 18; k++) {
    row += down;
    column += right;
    const next = table.elements.find((e) => e.row === row && e.column === column);
    if (next) return focus(table, next);
  }
  return undefined;
}

function focus(table, { symbol }) {
  for (const cell of table.cells.values()) cell.tabIndex = -1;
  const cell = table.cells.get(symbol);
  cell.tabIndex = 0;
  cell.focus();
}

function press(table, element, event) {
  const { symbol } = element;
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (ARROWS[event.key]) move(table, element, ARROWS[event.key]);
  else if (KEYS[event.key] && !table.data.picks) change(table, { [symbol]: KEYS[event.key] });
  else return;
  event.preventDefault();
}

function build(table) {
  const { box, data } = table;
  box.replaceChildren();
  const bar = make("div", "", box, { className: "presets", role: "toolbar", ariaLabel: "Presets" });
  for (const [name, words, title] of data.presets)
    make("button", words, bar, { type: "button", title, onclick: () => preset(table, name) });
  const grid = make("div", "", box, { className: "elements", role: "group", ariaLabel: "Elements" });
  for (const element of table.elements) {
    const cell = make("button", element.symbol, grid, { type: "button", tabIndex: -1 });
    cell.style.gridArea = `${element.row} / ${element.column}`;
    make("i", "", cell);
    cell.onclick = () => {
      focus(table, element);
      step(table, element.symbol);
    };
    cell.onkeydown = (event) => press(table, element, event);
    table.cells.set(element.symbol, cell);
  }
  grid.firstChild.tabIndex = 0;
  make("span", "La…", grid, { className: "gap" }).style.gridArea = "6 / 3";
  const legend = make("div", "", box, { className: "key" });
  for (const state of ["allow", "require", "forbid"]) {
    const part = make("span", "", legend);
    make("b", MARKS[state], part).dataset.state = state;
    part.append(words(table)[state]);
  }
  table.note = make("span", "", legend, { className: "note", role: "status" });
}

/* ---- life ---- */

function create(box, data) {
  const table = { box, data, elements: data.elements, cells: new Map(),
                  states: { ...data.states }, version: data.version };
  table.order = having(table, "require");
  build(table);
  return table;
}

export default function ({ data, parentElement, setStateValue }) {
  const box = parentElement.querySelector(".ptable");
  if (!tables.has(box)) tables.set(box, create(box, data));
  const table = (box.table = tables.get(box));
  table.set = setStateValue;
  if (data.version !== table.version) { // the page itself asks for other states
    clearTimeout(table.timer);
    Object.assign(table, { states: { ...data.states }, version: data.version });
    table.order = having(table, "require");
  }
  paint(table);
}
