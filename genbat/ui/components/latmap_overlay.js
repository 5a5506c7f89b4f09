/* What lies over the points: paths, marks, lasso, hover ring, tooltip, legend and note.
   Names come from files: they are only ever set through textContent or fillText. */
const GREYS = { light: { back: [158, 163, 173], ghost: [214, 217, 222] },
                dark: { back: [112, 117, 127], ghost: [56, 60, 67] } };

const hex = (h) => [1, 3, 5].map((k) => parseInt(h.slice(k, k + 2), 16));
const grouped = (v) => v.toLocaleString("en");

function el(tag, cls, parent, text = "") {
  const e = document.createElement(tag);
  e.className = cls;
  e.textContent = text;
  parent.append(e);
  return e;
}

/** A number with four digits, in the style of the cards. */
function num(v) {
  const plain = v === 0 || (Math.abs(v) >= 0.01 && Math.abs(v) < 1e5);
  return (plain ? String(+v.toPrecision(4)) : v.toExponential(2)).replace("-", "−");
}

/** Numbers of one scale, with as many decimals as their span asks for. */
function scaleText(low, high) {
  const places = 2 - Math.floor(Math.log10(high - low));
  if (places < -2 || places > 6) return num;
  return (v) => v.toFixed(clamp(places, 0, 6)).replace("-", "−");
}

/* ---- colours ---- */

function rampColour(stops, u) {
  const v = clamp(u, 0, 1) * (stops.length - 1), j = Math.min(stops.length - 2, v | 0);
  return stops[j].map((x, q) => x + (stops[j + 1][q] - x) * (v - j));
}

/** Byte -> colour. Sequential maps are trimmed by theme: no yellow on white, no black-violet
    on dark; a diverging map keeps its middle. */
function makeLut(head, isDark) {
  const lut = new Uint8Array(1024), stops = head.colors.map(hex);
  const trim = head.kind === "number" && !head.centred;
  const low = trim && isDark ? 0.16 : 0, high = trim && !isDark ? 0.93 : 1;
  for (let k = 0; k <= 253; k++) {
    const c = head.kind === "category" ? stops[k % stops.length]
      : rampColour(stops, low + ((high - low) * k) / 253);
    lut.set([...c, 255], 4 * k);
  }
  const grey = GREYS[isDark ? "dark" : "light"];
  lut.set([...grey.back, 255], 4 * 254);
  lut.set([...grey.ghost, 255], 4 * 255);
  return lut;
}

const cssColour = (lut, k) => `rgb(${lut[4 * k]},${lut[4 * k + 1]},${lut[4 * k + 2]})`;

/* ---- legend, note, tooltip ---- */

function legendRow(m, name, n, colour, parent = m.legend) {
  const row = el("button", "item", parent);
  row.type = "button";
  el("i", "", row).style.background = colour;
  el("span", "name", row, name);
  el("span", "n", row, grouped(n));
  return row;
}

function categoryLegend(m, head) {
  const list = el("div", "list", m.legend);
  head.names.forEach((name, k) => {
    const { all, back } = m.counts[k];
    const grey = all > 0 && back === all; // a class that is background altogether
    const row = legendRow(m, name, all, cssColour(m.lut, grey ? 254 : k), list);
    const off = m.off.has(k);
    row.classList.toggle("off", off);
    row.setAttribute("aria-pressed", String(!off));
    row.title = off ? `Show ${name}` : `Hide ${name}`;
    row.onclick = () => m.toggle(k);
  });
}

function rampLegend(m, head) {
  const [low, high] = head.limits, ramp = el("div", "ramp", m.legend);
  if (!m.valued) return ramp.replaceWith("no values yet");
  const stops = Array.from({ length: 12 }, (_, k) => cssColour(m.lut, ((k * 253) / 11) | 0));
  ramp.style.background = `linear-gradient(90deg,${stops})`;
  ramp.title = "Colours span the middle 98 % of the values";
  const ends = el("div", "ends", m.legend);
  const text = scaleText(low, high);
  for (const v of [low, (low + high) / 2, high]) el("span", "", ends, text(v));
}

/** Property with unit, its colours and how many points carry it. */
function drawLegend(m) {
  const head = m.color.head, numeric = head.kind === "number";
  m.legend.replaceChildren();
  const title = el("div", "title", m.legend);
  el("b", "", title, head.name);
  if (head.unit) el("span", "unit", title, head.unit);
  if (numeric) el("span", "n", title, `n = ${grouped(m.valued)}`);
  if (numeric) rampLegend(m, head);
  else categoryLegend(m, head);
  const name = m.back?.head.name;
  if (name && !(head.names ?? []).includes(name)) {
    const row = legendRow(m, name, m.backAll, cssColour(m.lut, 254));
    row.disabled = true;
  }
}

function writeNote(m) {
  const { n, shown } = m, word = m.selected ? "selected" : m.filter ? "pass the filter" : "";
  const part = word ? `${grouped(shown)} ${word}`
    : m.off.size ? `${grouped(shown)} shown`
    : shown < n ? `${grouped(n - shown)} without ${m.color.head.name}` : "";
  const parts = [m.cfg.note || `${grouped(n)} points`, part];
  m.note.textContent = n ? parts.filter(Boolean).join(" · ") : "No points yet";
}

function valueText(m, i) {
  const { head, array } = m.color, w = array[i];
  if (head.kind === "category") return `${head.name}: ${head.names[w] ?? "unknown"}`;
  if (w === FULL) return `${head.name}: no value`;
  const [low, high] = head.range, value = low + (w / 65534) * (high - low);
  return `${head.name}: ${num(value)}${head.unit ? " " + head.unit : ""}`;
}

function showTip(m, i) {
  m.tip.style.display = i < 0 ? "none" : "block";
  if (i < 0) return;
  const [x, y] = screenOf(m, i), name = m.names?.array[i] || `#${i}`;
  m.tip.replaceChildren();
  el("b", "", m.tip, name);
  el("span", "", m.tip, valueText(m, i));
  const { offsetWidth: w, offsetHeight: h } = m.tip;
  m.tip.style.left = clamp(x + 14, 6, m.view.W - w - 6) + "px";
  m.tip.style.top = (y - h - 12 < 6 ? y + 14 : y - h - 12) + "px";
}

/* ---- coordinates ---- */

function toUnit(m, [x, y]) {
  const [a, b, c, d] = m.xy.head.range;
  return [(x - a) / (b - a), (y - c) / (d - c)];
}

function toData(m, x, y) {
  const [a, b, c, d] = m.xy.head.range;
  return [a + x * (b - a), c + y * (d - c)];
}

const onScreen = (m, [x, y]) => [m.view.sx(x), m.view.sy(y)];
const unitOf = (m, i) => [m.xy.array[2 * i] / FULL, m.xy.array[2 * i + 1] / FULL];
const screenOf = (m, i) => onScreen(m, unitOf(m, i));

/* ---- drawing over the points ---- */

function trace(c, pts, shut = false) {
  c.beginPath();
  pts.forEach(([x, y], k) => (k ? c.lineTo(x, y) : c.moveTo(x, y)));
  if (shut) c.closePath();
}

function stroke(c, colour, width, dash = []) {
  c.setLineDash(dash);
  c.lineWidth = width;
  c.strokeStyle = colour;
  c.stroke();
  c.setLineDash([]);
}

function disc(c, [x, y], r, fill) {
  c.beginPath();
  c.arc(x, y, r, 0, 7);
  if (fill) { c.fillStyle = fill; c.fill(); }
}

function write(c, text, x, y, ink, paper, size = 12) {
  c.font = `600 ${size}px ${c.face}`;
  if (paper) { c.lineWidth = 4; c.strokeStyle = paper; c.strokeText(text, x, y); }
  c.fillStyle = ink;
  c.fillText(text, x, y);
}

/** The second path: dashed and faint, only for comparison. */
function drawFaintPath(m, c, look) {
  if (!m.cfg.path2?.length) return;
  trace(c, m.cfg.path2.map((p) => onScreen(m, toUnit(m, p))));
  stroke(c, look.paper, 5);
  c.globalAlpha = 0.6;
  stroke(c, look.ink, 1.8, [6, 5]);
  c.globalAlpha = 1;
}

/** The path with its steps; numbers only where they do not run into each other. */
function drawPath(m, c, look) {
  if (!m.cfg.path?.length) return;
  const pts = m.cfg.path.map((p) => onScreen(m, toUnit(m, p)));
  trace(c, pts);
  stroke(c, look.paper, 6);
  stroke(c, look.ink, 2.2);
  let last = null;
  const step = (k, on) => {
    const far = !last || Math.hypot(pts[k][0] - last[0], pts[k][1] - last[1]) > 19;
    if (far) last = pts[k];
    disc(c, pts[k], on ? 11 : far ? 8 : 3, on ? look.accent : far ? look.paper : look.ink);
    if (on || far) stroke(c, on ? look.paper : look.ink, on ? 2.5 : 1.6);
    if (on || far) write(c, String(k), pts[k][0], pts[k][1] + 0.5, on ? "#fff" : look.ink,
      null, on ? 11 : 9);
  };
  pts.forEach((_, k) => k !== m.step && step(k, false));
  if (pts[m.step]) step(m.step, true);
}

function drawMarks(m, c, look) {
  for (const mark of m.cfg.marks ?? []) {
    if (mark.i !== undefined && !(mark.i >= 0 && mark.i < m.n)) continue;
    const place = mark.i === undefined ? toUnit(m, [mark.x, mark.y]) : unitOf(m, mark.i);
    const at = onScreen(m, place);
    disc(c, at, 8);
    stroke(c, look.paper, 5);
    stroke(c, look.accent, 2.5);
    if (mark.label) write(c, mark.label, at[0], at[1] - 18, look.ink, look.paper);
  }
}

function drawHover(m, c, look) {
  if (m.hover < 0) return;
  disc(c, screenOf(m, m.hover), 6);
  stroke(c, look.paper, 4);
  stroke(c, look.ink, 1.8);
}

function drawLasso(m, c, look) {
  if (!(m.lasso?.length > 1)) return;
  trace(c, m.lasso.map((p) => onScreen(m, p)), true);
  c.fillStyle = look.accent;
  c.globalAlpha = 0.1;
  c.fill();
  c.globalAlpha = 1;
  stroke(c, look.accent, 1.6, [5, 4]);
}

function drawOverlay(m) {
  const c = m.ctx, { W, H } = m.view, look = m.look;
  c.setTransform(m.D, 0, 0, m.D, 0, 0);
  c.clearRect(0, 0, W, H);
  c.lineJoin = c.lineCap = "round";
  c.textAlign = "center";
  c.textBaseline = "middle";
  c.face = look.face;
  if (!m.cfg || !m.xy) return;
  for (const part of [drawFaintPath, drawPath, drawMarks, drawHover, drawLasso]) part(m, c, look);
}
