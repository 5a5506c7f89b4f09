/* The map itself: takes columns from the window's store, keeps one state object `m` per map,
   redraws on demand and reports what the user did. */
const store = (window.__latmapStore ??= Object.assign(new EventTarget(), { parts: new Map() }));
const maps = new WeakMap();
const COLUMNS = ["xy", "color", "filter", "back", "names"];
const OFF = 256; // entry of the byte table: category switched off in the legend
const MOST_ROWS = 2000, MOST_CORNERS = 120; // what a lasso sends at most

const hasBit = (bits, i) => (bits[i >> 3] & (128 >> (i & 7))) !== 0;

/** Stored value of the colour column -> byte 0..253, GONE (no value) or OFF. */
function byteTable(head, off) {
  if (head.kind === "category") {
    const known = (k) => k < head.names.length && k <= COLOUR[1];
    return Uint16Array.from({ length: 256 }, (_, k) => (off.has(k) ? OFF : known(k) ? k : GONE));
  }
  const [low, high] = head.limits, [min, max] = head.range, table = new Uint16Array(65536);
  for (let w = 0; w < FULL; w++) {
    const u = (min + (w / 65534) * (max - min) - low) / (high - low);
    table[w] = clamp(Math.round(253 * u), 0, 253);
  }
  table[FULL] = GONE;
  return table;
}

/** One byte a point, in grid order, from colour, filter, back mask, legend and lasso; and how
    many coloured and grey points each cell of the grid holds. */
function encode(m) {
  const { items, start, G } = m.grid, values = m.color.array;
  const table = byteTable(m.color.head, m.off);
  const keep = m.filter?.array, back = m.back?.array, sel = m.selected, grey = BACK[0];
  const bytes = (m.bytes = new Uint8Array(m.n));
  m.tally = new Uint32Array(G * G);
  m.tallyBack = new Uint32Array(G * G);
  m.shown = m.backs = 0;
  for (let c = 0, k = 0; c < G * G; c++) {
    let shown = 0, backs = 0;
    for (; k < start[c + 1]; k++) {
      const i = items[k];
      let b = table[values[i]];
      if (b === OFF || (keep && !hasBit(keep, i)) || (sel && !sel[i])) b = GONE;
      else if (back && hasBit(back, i)) b = grey;
      bytes[k] = b;
      if (b !== GONE) shown++;
      if (b === grey) backs++;
    }
    m.tally[c] = shown - backs;
    m.tallyBack[c] = backs;
    m.shown += shown;
    m.backs += backs;
  }
}

/** What the legend says: points that pass the filter, by category. */
function count(m) {
  const { head, array } = m.color, cat = head.kind === "category";
  const keep = m.filter?.array, back = m.back?.array;
  m.counts = (head.names ?? []).map(() => ({ all: 0, back: 0 }));
  m.valued = m.backAll = 0;
  for (let i = 0; i < m.n; i++) {
    if (keep && !hasBit(keep, i)) continue;
    const grey = back !== undefined && hasBit(back, i);
    const entry = cat ? m.counts[array[i]] : undefined;
    if (grey) m.backAll++;
    else if (!cat && array[i] !== FULL) m.valued++;
    if (entry) { entry.all++; if (grey) entry.back++; }
  }
}

/** Colours of the page's theme, read where the map stands. */
function readTheme(m) {
  const style = getComputedStyle(m.box);
  const get = (name, other) => style.getPropertyValue(name).trim() || other;
  const rgb = (style.backgroundColor.match(/[\d.]+/g) ?? [255, 255, 255]).map(Number).slice(0, 3);
  m.paperColour = rgb;
  m.isDark = rgb[0] + rgb[1] + rgb[2] < 380;
  m.look = {
    ink: get("--st-text-color", "#222"), paper: `rgb(${rgb})`, face: style.fontFamily,
    accent: get("--st-primary-color", "#2563eb"),
  };
}

function dress(m) {
  m.lut = makeLut(m.color.head, m.isDark);
  drawLegend(m);
  writeNote(m);
}

function repaint(m) {
  encode(m);
  dress(m);
  m.draw();
}

/* ---- taking the data ---- */

/** Ask the server again for columns that do not arrive, ever more patiently. */
function cry(m, missing, wait) {
  m.cry = setTimeout(() => {
    m.send("need", missing);
    cry(m, missing, Math.min(2 * wait, 15000));
  }, wait);
}

function takePositions(m, column) {
  const [a, b, c, d] = column.head.range;
  m.n = column.array.length / 2;
  m.grid = buildIndex(column.array, m.n);
  Object.assign(m.view, { spanX: b - a, spanY: d - c });
  m.selected = m.lasso = null;
  m.hover = -1;
  showTip(m, -1);
}

function describe(m) {
  const { name, unit } = m.color.head, path = m.cfg.path?.length;
  const keys = path ? `Arrow keys walk the path of ${path} steps.` : "Arrow keys move the map.";
  const what = `Map of ${grouped(m.n)} points coloured by ${name}${unit ? " in " + unit : ""}.`;
  const rest = "Plus and minus zoom, Enter picks the point nearest to the middle, Escape resets.";
  m.top.setAttribute("aria-label", `${what} ${keys} ${rest}`);
}

/** Apply the newest settings once every column they name is here. */
function sync(m) {
  const cfg = store.parts.get("settings:" + m.name)?.head;
  if (!cfg) return;
  clearTimeout(m.cry);
  const missing = COLUMNS.map((k) => cfg[k]).filter((id) => id && !store.parts.has(id));
  if (missing.length) return cry(m, missing, 400);
  const now = Object.fromEntries(COLUMNS.map((k) => [k, cfg[k] ? touch(cfg[k]) : undefined]));
  const fresh = m.xy !== now.xy, newColour = m.color !== now.color;
  const changed = COLUMNS.slice(0, 4).some((k) => m[k] !== now[k]);
  if (newColour) m.off.clear();
  const walked = cfg.step !== m.cfg?.step || !m.cfg;
  Object.assign(m, now, { cfg });
  if (walked && cfg.step !== null && !m.key) m.step = cfg.step; // no echo while keys are pressed
  if (fresh) takePositions(m, m.xy);
  if (changed) { readTheme(m); count(m); repaint(m); } else { writeNote(m); drawOverlay(m); }
  describe(m);
  m.box.dataset.shown = [cfg.color, cfg.filter ?? "", cfg.back ?? ""].join("|");
  m.box.dataset.count = m.n;
  m.box.dataset.step = m.step;
}

/** A column from the store, marked as used lately (the store drops the oldest ones). */
function touch(id) {
  const part = store.parts.get(id);
  store.parts.delete(id);
  store.parts.set(id, part);
  return part;
}

/* ---- telling the server ---- */

function base64(rows) {
  let text = "";
  for (const byte of new Uint8Array(rows.slice().sort().buffer)) text += String.fromCharCode(byte);
  return btoa(text);
}

/** A finished lasso or box: few rows travel by number, many as the polygon alone. */
function finish(m, drawn) {
  const before = m.selected;
  if (before) { m.selected = null; encode(m); }
  const step = Math.max(1, Math.ceil(drawn.length / MOST_CORNERS));
  const round = (v) => Math.round(v * FULL) / FULL;
  const polygon = drawn.filter((_, k) => k % step === 0).map((p) => p.map(round));
  const t0 = performance.now(), rows = m.within(polygon);
  m.lassoMs = performance.now() - t0;
  if (!rows.length) return clear(m, before);
  m.selected = new Uint8Array(m.n);
  for (const i of rows) m.selected[i] = 1;
  m.lasso = polygon;
  repaint(m);
  m.send("event", {
    kind: "lasso", count: rows.length, off: [...m.off], t: Date.now(),
    indices: rows.length <= MOST_ROWS ? base64(rows) : null,
    polygon: polygon.flat().map((v) => Math.round(v * FULL)),
  });
}

/** No selection; the server hears of it as a lasso without rows. */
function clear(m, before = m.selected) {
  m.lasso = m.selected = null;
  repaint(m);
  const t = Date.now(), off = [...m.off];
  if (before) m.send("event", { kind: "lasso", count: 0, indices: null, polygon: [], off, t });
}

/** A click: the point under it, or the place in data coordinates. */
function choose(m, px, py) {
  const index = m.pick(px, py), t = Date.now();
  if (index >= 0) return m.send("event", { kind: "pick", index, t });
  m.send("event", { kind: "spot", at: toData(m, m.view.ux(px), m.view.uy(py)), t });
}

/* ---- life of one map ---- */

function resize(m) {
  m.D = Math.min(2, devicePixelRatio || 1);
  Object.assign(m.view, { W: m.box.clientWidth, H: m.box.clientHeight });
  m.view.fit();
  const w = (m.view.W * m.D) | 0, h = (m.view.H * m.D) | 0;
  if (m.top.width !== w || m.top.height !== h) Object.assign(m.top, { width: w, height: h });
}

function addActions(m) {
  let settle;
  m.draw = (moving = false) => {
    m.pending = 0;
    if (m.dead || !m.bytes || !m.box.clientWidth) return;
    resize(m);
    drawPoints(m, moving);
    drawOverlay(m);
  };
  m.ask = () => { // quick frames while moving, one full frame at rest
    m.pending ||= requestAnimationFrame(() => {
      m.draw(true);
      if (m.info.ms > 32 && m.level) m.level--;
      else if (m.info.ms < 11 && m.level < REST) m.level++;
    });
    clearTimeout(settle);
    settle = setTimeout(() => m.draw(), 160);
  };
  m.pick = (px, py, r) => pick(m, px, py, r);
  m.within = (polygon) => within(m, polygon);
  m.finish = (polygon) => finish(m, polygon);
  m.choose = (px, py) => choose(m, px, py);
  m.reset = () => { m.view.home(); hover(m, -1); clear(m); };
  m.toggle = (k) => { if (!m.off.delete(k)) m.off.add(k); repaint(m); };
  m.retheme = () => { if (m.color) { readTheme(m); dress(m); m.draw(); } };
}

function create(box, name, send) {
  const m = { box, name, send, view: new View(), n: 0, hover: -1, lasso: null, selected: null,
              off: new Set(), step: 0, key: 0, level: 3, cfg: null, D: 1, pending: 0 };
  m.canvas = el("canvas", "dots", box);
  m.top = el("canvas", "top", box);
  m.top.tabIndex = 0;
  m.top.setAttribute("role", "application");
  for (const part of ["bar", "legend", "note", "tip"]) m[part] = el("div", part, box);
  m.tip.setAttribute("role", "status");
  m.ctx = m.top.getContext("2d");
  m.paper = m.canvas.getContext("2d", { alpha: false });
  addActions(m);
  for (const add of [addToolbar, addPointer, addWheel, addKeys]) add(m);
  const eye = new ResizeObserver(() => m.draw()), arrive = () => sync(m);
  eye.observe(box);
  store.addEventListener("part", arrive);
  box.addEventListener("transitionend", (e) => e.target === box && m.retheme()); // see the CSS
  m.close = () => {
    m.dead = true;
    eye.disconnect();
    store.removeEventListener("part", arrive);
    clearTimeout(m.cry);
  };
  return m;
}

export default function ({ data, parentElement, setStateValue, setTriggerValue }) {
  const box = parentElement.querySelector(".map");
  box.style.height = data.height + "px";
  if (!maps.has(box)) {
    const send = (name, value) => (name === "need" ? setTriggerValue : setStateValue)(name, value);
    const m = (box.latmap = create(box, data.name, send));
    maps.set(box, m);
    sync(m);
  }
  return () => { maps.get(box)?.close(); maps.delete(box); };
}
