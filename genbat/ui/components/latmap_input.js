/* Mouse, wheel, keyboard and the small toolbar. */
const MODES = [
  ["move", "Move", "Drag to move, wheel to zoom, click to pick"],
  ["lasso", "Lasso", "Draw round points (or hold Shift)"],
  ["box", "Box", "Drag a rectangle over points"],
];
const ARROWS = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

function addToolbar(m) {
  const set = (mode) => {
    m.mode = mode;
    m.top.style.cursor = "";
    for (const b of m.bar.children) b.setAttribute("aria-pressed", String(b.dataset.m === mode));
  };
  const button = (name, text, title, act) => {
    const b = el("button", "", m.bar, text);
    Object.assign(b, { type: "button", title, onclick: act });
    b.dataset.m = name;
  };
  for (const [name, text, title] of MODES) button(name, text, title, () => set(name));
  button("reset", "Reset", "Whole map, nothing selected (Esc)", () => m.reset());
  set("move");
}

const place = (m, e) => {
  const r = m.top.getBoundingClientRect();
  return [e.clientX - r.left, e.clientY - r.top];
};

function boxCorners(v, a, b) {
  const x = [v.ux(a[0]), v.ux(b[0])], y = [v.uy(a[1]), v.uy(b[1])];
  return [[x[0], y[0]], [x[1], y[0]], [x[1], y[1]], [x[0], y[1]]];
}

function hover(m, i, tip = true) {
  if (i !== m.hover) { m.hover = i; drawOverlay(m); }
  if (tip) showTip(m, i);
  m.top.style.cursor = i >= 0 && m.mode === "move" ? "pointer" : "";
}

function addPointer(m) {
  let down = null;
  m.top.onpointerdown = (e) => {
    if (!m.n || e.button > 0) return;
    m.top.focus({ preventScroll: true });
    m.top.setPointerCapture(e.pointerId);
    const at = place(m, e), mode = e.shiftKey && m.mode === "move" ? "lasso" : m.mode;
    down = { at, last: at, far: false, mode };
    if (mode === "lasso") m.lasso = [[m.view.ux(at[0]), m.view.uy(at[1])]];
  };
  m.top.onpointermove = (e) => {
    if (!m.n) return;
    const at = place(m, e);
    if (!down) return hover(m, m.pick(...at));
    hover(m, -1);
    if (Math.hypot(at[0] - down.at[0], at[1] - down.at[1]) > 4) down.far = true;
    if (down.mode === "lasso") m.lasso.push([m.view.ux(at[0]), m.view.uy(at[1])]);
    else if (down.mode === "box" && down.far) m.lasso = boxCorners(m.view, down.at, at);
    else if (down.far) m.view.pan(at[0] - down.last[0], at[1] - down.last[1]);
    down.last = at;
    if (down.mode === "move" && down.far) m.ask();
    else drawOverlay(m);
  };
  m.top.onpointerup = (e) => {
    if (!down) return;
    const { far, mode } = down;
    down = null;
    if (mode !== "move" && far && m.lasso?.length > 3) return m.finish(m.lasso);
    if (mode !== "move") { m.lasso = null; drawOverlay(m); }
    if (!far) m.choose(...place(m, e));
  };
  m.top.onpointercancel = () => { down = m.lasso = null; drawOverlay(m); };
  m.top.onpointerleave = () => hover(m, -1);
}

function addWheel(m) {
  const turn = (e) => {
    e.preventDefault();
    if (!m.n) return;
    m.view.zoomAt(Math.exp(-e.deltaY * 0.0015), ...place(m, e));
    hover(m, -1);
    m.ask();
  };
  m.top.addEventListener("wheel", turn, { passive: false });
}

/** Move the view only as far as needed to see a place. */
function reveal(m, [x, y]) {
  const { W, H } = m.view, px = m.view.sx(x), py = m.view.sy(y), edge = 40;
  const dx = clamp(px, edge, W - edge) - px, dy = clamp(py, edge, H - edge) - py;
  if (!dx && !dy) return drawOverlay(m);
  m.view.pan(dx, dy);
  m.ask();
}

function walk(m, by) {
  const last = m.cfg.path.length - 1, next = clamp(m.step + by, 0, last);
  if (next === m.step) return;
  m.step = next;
  reveal(m, toUnit(m, m.cfg.path[next]));
  clearTimeout(m.key); // one event for a burst of key presses
  m.key = setTimeout(() => {
    m.key = 0;
    m.send("event", { kind: "step", step: m.step, t: Date.now() });
  }, 150);
}

function pickMiddle(m) {
  const i = pickCentre(m);
  if (i < 0) return;
  hover(m, i);
  m.send("event", { kind: "pick", index: i, t: Date.now() });
}

function addKeys(m) {
  const press = (e) => {
    const arrow = ARROWS[e.key];
    if (arrow && m.cfg?.path?.length && !e.shiftKey) return walk(m, arrow[0] + arrow[1]);
    if (arrow) { m.view.pan(-60 * arrow[0], 60 * arrow[1]); hover(m, -1); return m.ask(); }
    if ("+=".includes(e.key)) { m.view.zoomAt(1.3); return m.ask(); }
    if ("-_".includes(e.key)) { m.view.zoomAt(1 / 1.3); return m.ask(); }
    if (e.key === "Enter") return pickMiddle(m);
    if (e.key === "Escape") return m.reset();
    return false;
  };
  m.top.onkeydown = (e) => {
    if (!m.n || e.ctrlKey || e.metaKey || e.altKey) return;
    if (press(e) !== false) e.preventDefault();
  };
}
