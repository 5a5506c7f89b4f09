/* One molecule or crystal in 3D, drawn by 3Dmol.js from the app's static folder. The canvas and
   its WebGL context stay when the structure changes: browsers allow only some 16 of them. */
const LIBRARY = "./app/static/3Dmol-min.js";
const CAMERA = 150, FIELD = 20; // the library's camera: distance in Å, angle in degrees
const views = new WeakMap();

const NO_WEBGL = "This browser does not draw in 3D: WebGL is switched off or blocked. " +
  "Allow hardware acceleration in its settings; everything else on the page works without it.";
const NO_LIBRARY = "The 3D viewer could not be loaded. " +
  "Reload the page; if that does not help, static/3Dmol-min.js is missing on the server.";
const NO_ATOMS = "No atoms could be read from this structure, so there is nothing to draw.";

/** The library, loaded once a window. */
function library() {
  return (window.__genbat3dmol ??= new Promise((done, fail) => {
    const script = document.createElement("script");
    script.src = LIBRARY;
    script.onload = () => (window.$3Dmol ? done(window.$3Dmol) : fail(new Error("empty")));
    script.onerror = () => { window.__genbat3dmol = undefined; fail(new Error("missing")); };
    document.head.append(script);
  }));
}

function webglWorks() {
  const canvas = document.createElement("canvas");
  const gl = canvas.getContext("webgl2") ?? canvas.getContext("webgl");
  gl?.getExtension("WEBGL_lose_context")?.loseContext();
  return gl !== null;
}

const nameOf = (atom) => `${atom.elem}${atom.index + 1}`; // people count from 1
const distanceOf = (a, b) => Math.hypot(a.x - b.x, a.y - b.y, a.z - b.z);

/** Colours of the page's theme, read where the viewer stands. */
function theme(box) {
  const style = getComputedStyle(box);
  const get = (name, other) => style.getPropertyValue(name).trim() || other;
  return {
    paper: get("--st-background-color", "#ffffff"),
    ink: get("--st-text-color", "#222222"),
    accent: get("--st-primary-color", "#2563eb"),
  };
}

function say(view, text, state) {
  view.message.textContent = text;
  view.box.dataset.state = state; // loading, ready or failed: the CSS does the rest
}

/* ---- labels and distances ---- */

function label(view, text, position, strong = false) {
  const { paper, ink, accent } = theme(view.box);
  return view.gl.addLabel(text, {
    position, inFront: true, fontSize: 13, showBackground: true, backgroundOpacity: 0.9,
    backgroundColor: strong ? accent : ink, fontColor: strong ? "#ffffff" : paper,
    alignment: "bottomCenter",
  });
}

function hover(view, atom) {
  unhover(view);
  view.hovered = label(view, nameOf(atom), atom);
}

function unhover(view) {
  if (view.hovered) view.gl.removeLabel(view.hovered);
  view.hovered = null;
}

/** Rings round the chosen atoms; between two of them a dashed line with the distance. */
function drawChosen(view) {
  const { accent } = theme(view.box), [a, b] = view.chosen;
  for (const shape of view.shapes) view.gl.removeShape(shape);
  for (const text of view.texts) view.gl.removeLabel(text);
  view.shapes = view.chosen.map((atom) => view.gl.addSphere({
    center: { x: atom.x, y: atom.y, z: atom.z }, radius: 0.55, color: accent, opacity: 0.45,
  }));
  view.texts = view.chosen.map((atom) => label(view, nameOf(atom), atom));
  if (b) {
    const middle = { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, z: (a.z + b.z) / 2 };
    view.shapes.push(view.gl.addCylinder({
      start: a, end: b, radius: 0.05, color: accent, dashed: true, fromCap: 1, toCap: 1,
    }));
    view.texts.push(label(view, `${distanceOf(a, b).toFixed(2)} Å`, middle, true));
  }
  view.gl.render();
}

/** A click adds an atom to the pair, a click on a chosen one takes it out again. */
function choose(view, atom) {
  const known = view.chosen.findIndex((other) => other.index === atom.index);
  if (known >= 0) view.chosen.splice(known, 1);
  else view.chosen = view.chosen.length === 2 ? [atom] : [...view.chosen, atom];
  unhover(view);
  drawChosen(view);
  const [a, b] = view.chosen, { elem, index, x, y, z } = atom;
  view.send("picked", {
    id: view.shown, elem, index, x, y, z, t: Date.now(),
    pair: view.chosen.map((other) => other.index),
    distance: b ? Number(distanceOf(a, b).toFixed(4)) : null,
  });
}

/* ---- drawing ---- */

/** Thin edges; short arrows a, b, c in the usual red, green, blue. */
function cellStyle(ink) {
  const text = { fontColor: ink, showBackground: false, fontSize: 14, alignment: "bottomCenter" };
  const label = () => ({ ...text });
  const arrow = (color) => ({ color, radius: 0.04, radiusRatio: 3, midpos: -0.45 });
  return {
    box: { color: ink, linewidth: 1 }, alabel: "a", blabel: "b", clabel: "c",
    alabelstyle: label(), blabelstyle: label(), clabelstyle: label(),
    astyle: arrow("#d1495b"), bstyle: arrow("#3a9d5d"), cstyle: arrow("#3f78d8"),
  };
}

function dress(view) {
  const { paper, ink } = theme(view.box);
  view.gl.setBackgroundColor(paper, 1);
  if (view.model?.getCrystData()) {
    view.cell = cellStyle(ink);
    view.gl.addUnitCell(view.model, view.cell); // instead of the former one
  }
  drawChosen(view);
}

/** The eight corners of the cell, if there is one. */
function corners({ cell }) {
  if (!cell?.astyle.end) return [];
  const o = cell.astyle.start, ends = [cell.astyle.end, cell.bstyle.end, cell.cstyle.end];
  return Array.from({ length: 8 }, (_, k) => {
    const along = (axis) => ends.reduce(
      (sum, end, j) => sum + ((k >> j) & 1) * (end[axis] - o[axis]), o[axis]);
    return { x: along("x"), y: along("y"), z: along("z") };
  });
}

/** Everything in sight and in the middle, whichever way it is turned; the turn is kept. */
function frame(view) {
  const points = [...view.model.selectedAtoms({}), ...corners(view)], gl = view.gl;
  if (!points.length) return;
  const middle = (axis) => {
    const values = points.map((p) => p[axis]);
    return (Math.min(...values) + Math.max(...values)) / 2;
  };
  const c = { x: middle("x"), y: middle("y"), z: middle("z") };
  const radius = Math.max(2, 0.9 + Math.max(...points.map((p) => distanceOf(p, c))));
  const narrow = Math.max(1, view.stage.clientHeight / view.stage.clientWidth);
  gl.zoomTo(); // sets what is clipped; place and distance are set anew
  const away = CAMERA - (radius * narrow) / Math.sin(((FIELD / 2) * Math.PI) / 180);
  gl.setView([-c.x, -c.y, -c.z, away, ...gl.getView().slice(4, 8)]);
}

/** Do several things and draw once: without a GPU each picture costs a tenth of a second, and
    3Dmol draws after every step by its method `show`. */
function atOnce(gl, steps) {
  gl.show = () => {};
  try {
    steps();
  } finally {
    delete gl.show; // the class's own again
  }
  gl.render();
}

function show(view, data) {
  atOnce(view.gl, () => build(view, data));
  const atoms = view.model.selectedAtoms({}).length;
  view.box.dataset.shown = data.id;
  view.box.dataset.atoms = atoms;
  say(view, atoms ? "" : NO_ATOMS, atoms ? "ready" : "failed");
}

function build(view, data) {
  const gl = view.gl;
  gl.removeAllModels();
  gl.removeAllShapes();
  gl.removeAllLabels();
  Object.assign(view, { chosen: [], shapes: [], texts: [], hovered: null, cell: null,
                        shown: data.id });
  view.model = gl.addModel(data.text, data.format);
  gl.setStyle({}, data.style);
  gl.setHoverDuration(80);
  gl.setHoverable({}, true, (atom) => hover(view, atom), () => unhover(view));
  gl.setClickable({}, true, (atom) => choose(view, atom));
  dress(view);
  frame(view);
}

function turn(view, spin) {
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  view.gl.spin(spin && !calm ? "y" : false, 0.6);
}

/* ---- life of one viewer ---- */

function create(box, send) {
  const view = { box, send, stage: box.querySelector(".stage"), chosen: [], shapes: [], texts: [],
                 message: box.querySelector(".message") };
  view.eye = new ResizeObserver(() => { if (view.gl && box.clientWidth) view.gl.resize(); });
  view.eye.observe(box);
  const switched = (e) => { if (e.target === box && view.gl) atOnce(view.gl, () => dress(view)); };
  box.addEventListener("transitionend", switched); // see the CSS
  return view;
}

async function start(view) {
  if (!webglWorks()) throw new Error(NO_WEBGL);
  const lib = await library().catch(() => { throw new Error(NO_LIBRARY); });
  const gl = view.dead ? null : lib.createViewer(view.stage, { antialias: true });
  if (!gl && !view.dead) throw new Error(NO_WEBGL);
  gl?.rotate(-20, "y").rotate(15, "x"); // flat rings and cells seen face on lose their depth
  return gl;
}

async function update(view, data) {
  try {
    view.gl ??= await (view.starting ??= start(view));
  } catch (problem) {
    view.starting = undefined;
    return say(view, problem.message, "failed");
  }
  if (view.dead || data !== view.wanted) return undefined; // a newer structure is on its way
  if (view.box.dataset.shown !== data.id) show(view, data);
  return turn(view, data.spin);
}

/** Gives the WebGL context back. */
function close(view) {
  view.dead = true;
  view.eye.disconnect();
  view.gl?.spin(false);
  const canvas = view.stage.querySelector("canvas");
  const gl = canvas?.getContext("webgl2") ?? canvas?.getContext("webgl");
  gl?.getExtension("WEBGL_lose_context")?.loseContext();
}

export default function ({ data, parentElement, setStateValue }) {
  const box = parentElement.querySelector(".mol");
  box.style.height = data.height + "px";
  if (!views.has(box)) views.set(box, create(box, setStateValue));
  const view = (box.viewer3d = views.get(box));
  view.wanted = data;
  update(view, data);
  return () => { close(view); views.delete(box); };
}
