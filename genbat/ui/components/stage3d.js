/* What all 3D viewers share: 3Dmol.js from the app's static folder, a canvas that stays when the
   structure changes (browsers allow only some 16 WebGL contexts), labels, theme and camera. */
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

/* ---- labels and measures ---- */

function label(view, text, position, strong = false) {
  const { paper, ink, accent } = theme(view.box);
  return view.gl.addLabel(text, {
    position, inFront: true, fontSize: 13, showBackground: true, backgroundOpacity: 0.9,
    backgroundColor: strong ? accent : ink, fontColor: strong ? "#ffffff" : paper,
    alignment: "bottomCenter",
  });
}

function hover(view, text, position) {
  unhover(view);
  view.hovered = label(view, text, position);
}

function unhover(view) {
  if (view.hovered) view.gl.removeLabel(view.hovered);
  view.hovered = null;
}

/** A shining ball round a chosen atom. */
function mark(view, { x, y, z }, radius = 0.55) {
  const { accent } = theme(view.box);
  return view.gl.addSphere({ center: { x, y, z }, radius, color: accent, opacity: 0.45 });
}

/** A dashed line between two atoms with its length. */
function measure(view, a, b) {
  const { accent } = theme(view.box);
  const middle = { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, z: (a.z + b.z) / 2 };
  view.shapes.push(view.gl.addCylinder({
    start: a, end: b, radius: 0.05, color: accent, dashed: true, fromCap: 1, toCap: 1,
  }));
  view.texts.push(label(view, `${distanceOf(a, b).toFixed(2)} Å`, middle, true));
}

function unmark(view) {
  for (const shape of view.shapes) view.gl.removeShape(shape);
  for (const text of view.texts) view.gl.removeLabel(text);
  Object.assign(view, { shapes: [], texts: [] });
}

/* ---- camera ---- */

/** Everything in sight and in the middle, whichever way it is turned; the turn is kept. */
function frame(view, points) {
  const gl = view.gl;
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

function turn(view, spin) {
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  view.gl.spin(spin && !calm ? "y" : false, 0.6);
}

/* ---- life of one viewer ---- */

/** `dress(view)` draws what depends on the theme; `show(view, data)` draws another structure. */
function create(box, send, { dress, show }) {
  const view = { box, send, dress, show, chosen: [], shapes: [], texts: [],
                 stage: box.querySelector(".stage"), message: box.querySelector(".message") };
  view.eye = new ResizeObserver(() => { if (view.gl && box.clientWidth) view.gl.resize(); });
  view.eye.observe(box);
  const switched = (e) => {
    if (e.target === box && view.gl) atOnce(view.gl, () => view.dress(view));
  };
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
  if (view.box.dataset.shown !== data.id) view.show(view, data);
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

/** A component's whole life: `box` is its frame, `parts` as `create` takes them. */
function live(box, data, send, parts) {
  box.style.height = data.height + "px";
  if (!views.has(box)) views.set(box, create(box, send, parts));
  const view = (box.viewer3d = views.get(box));
  view.wanted = data;
  update(view, data);
  return () => { close(view); views.delete(box); };
}
