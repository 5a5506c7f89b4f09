/* One crystal in 3D: supercells, bonds, polyhedra, distances and angles; see stage3d.js,
   crystal_scene.js, and genbat.domains.crystals.draw.scene for what comes in. Names are only ever
   set as text. */
const MOST_ATOMS = 3000; // in the repeated cells; more make the browser stutter
const TURNS = { ArrowLeft: [-10, "y"], ArrowRight: [10, "y"], ArrowUp: [-10, "x"],
                ArrowDown: [10, "x"] };
const ZOOMS = { "+": 1.15, "-": 1 / 1.15 };
const AXES = ["a", "b", "c"], RODS = ["#d1495b", "#3a9d5d", "#3f78d8"];

/* ---- drawing ---- */

function drawAtoms(view, { atoms, bonds }) {
  const rows = [...atoms.values()], at = new Map(rows.map((row, k) => [row.key, k]));
  const near = rows.map(() => []);
  for (const [one, two] of bonds) {
    near[at.get(one)].push(at.get(two));
    near[at.get(two)].push(at.get(one));
  }
  view.model = view.gl.addModel();
  view.model.addAtoms(rows.map((row, k) => (
    { elem: row.elem, x: row.x, y: row.y, z: row.z, serial: k, index: k, bonds: near[k],
      bondOrder: near[k].map(() => 1), properties: { key: row.key } })));
  for (const { symbol, colour, radius } of view.data.elements)
    view.gl.setStyle({ elem: symbol }, { sphere: { radius, color: colour },
      ...(bonds.length && { stick: { radius: 0.09, color: colour } }) });
}

function drawPolyhedra(view, { part, atoms, shapes }) {
  const point = ([k, image]) => atoms.get(keyOf(k, image)) ??
    place(part.lattice, add(part.atoms[k].slice(1), image));
  const minus = (a, b) => [a.x - b.x, a.y - b.y, a.z - b.z];
  const meshes = new Map();
  for (const { colour, faces, edges, corners } of shapes) {
    if (!meshes.has(colour)) meshes.set(colour, { points: [], normals: [], rims: [] });
    const mesh = meshes.get(colour), ends = corners.map(point);
    for (const [a, b, c] of faces.map((face) => face.map((k) => ends[k]))) {
      const [u, v] = [minus(b, a), minus(c, a)];
      const n = { x: u[1] * v[2] - u[2] * v[1], y: u[2] * v[0] - u[0] * v[2],
                  z: u[0] * v[1] - u[1] * v[0] };
      const size = Math.hypot(n.x, n.y, n.z) || 1;
      for (const p of [a, b, c]) {
        mesh.points.push({ x: p.x, y: p.y, z: p.z });
        mesh.normals.push({ x: n.x / size, y: n.y / size, z: n.z / size });
      }
    }
    mesh.rims.push(...edges.map(([a, b]) => [ends[a], ends[b]]));
  }
  for (const [color, { points, normals, rims }] of meshes) {
    view.gl.addCustom({ color, opacity: 0.5, vertexArr: points, normalArr: normals,
                        faceArr: points.map((_, k) => k) });
    rods(view, rims, color, 0.025);
  }
}

/** Many thin cylinders as one shape. */
function rods(view, pairs, color, radius) {
  const shape = view.gl.addShape({ color });
  for (const [start, end] of pairs) shape.addCylinder({ start, end, radius, color });
  shape.finalize();
}

function boxCorners(lattice, times) {
  return Array.from({ length: 8 }, (_, k) =>
    place(lattice, times.map((n, axis) => n * ((k >> axis) & 1))));
}

/** The frame of the repeated cell and, at its origin, the edges of one cell in red, green, blue. */
function drawFrame(view, { part }) {
  const { ink } = theme(view.box), corners = boxCorners(part.lattice, view.look.times);
  const pairs = [];
  for (let k = 0; k < 8; k++)
    for (const axis of [1, 2, 4]) if (!(k & axis)) pairs.push([corners[k], corners[k | axis]]);
  rods(view, pairs, ink, 0.018);
  AXES.forEach((name, axis) => {
    const end = place(part.lattice, AXES.map((_, k) => Number(k === axis)));
    rods(view, [[corners[0], end]], RODS[axis], 0.045);
    const size = distanceOf(corners[0], end), far = 1 + 0.55 / size;
    const position = place(part.lattice, AXES.map((_, k) => far * Number(k === axis)));
    view.gl.addLabel(name, { position, fontColor: RODS[axis], showBackground: false,
                             fontSize: 15, alignment: "center", inFront: true });
  });
  view.corners = corners;
}

/** Draw all anew on the same canvas, chosen atoms kept where they are still there. */
function build(view) {
  const gl = view.gl, { paper } = theme(view.box);
  gl.removeAllModels();
  gl.removeAllShapes();
  gl.removeAllLabels();
  gl.setBackgroundColor(paper, 1);
  Object.assign(view, { shapes: [], texts: [], hovered: null });
  const all = (view.all = collect(view));
  drawAtoms(view, all);
  drawPolyhedra(view, all);
  drawFrame(view, all);
  gl.setHoverDuration(80);
  const row = (atom) => all.atoms.get(atom.properties.key);
  const words = (atom) => `${row(atom).name} · ${view.nameOf(row(atom).elem)}`;
  gl.setHoverable({}, true, (atom) => hover(view, words(atom), atom), () => unhover(view));
  gl.setClickable({}, true, (atom) => choose(view, row(atom)));
  view.chosen = view.chosen.map(({ key }) => all.atoms.get(key)).filter(Boolean);
  drawChosen(view);
  Object.assign(view.box.dataset, { atoms: all.atoms.size, bonds: all.bonds.length,
                                    polyhedra: all.shapes.length });
}

function fit(view) {
  frame(view, [...view.all.atoms.values(), ...view.corners]);
}

function redraw(view, refit = false) {
  atOnce(view.gl, () => { build(view); if (refit) fit(view); });
}

/* ---- distances and angles ---- */

/** The angle at the middle one of three atoms, in degrees. */
function angleOf([a, b, c]) {
  const u = [a.x - b.x, a.y - b.y, a.z - b.z], v = [c.x - b.x, c.y - b.y, c.z - b.z];
  const dot = u[0] * v[0] + u[1] * v[1] + u[2] * v[2];
  const cosine = dot / (distanceOf(a, b) * distanceOf(b, c));
  return (Math.acos(Math.max(-1, Math.min(1, cosine))) * 180) / Math.PI;
}

function measured(chosen) {
  const [a, b, c] = chosen, joined = chosen.map(({ name }) => name).join("–");
  if (!a) return "";
  if (!b) return `${joined}: click a second atom for the distance`;
  if (!c) return `${joined} ${distanceOf(a, b).toFixed(3)} Å; a third atom gives the angle`;
  const sides = `${distanceOf(a, b).toFixed(3)} and ${distanceOf(b, c).toFixed(3)} Å`;
  return `∠ ${joined} ${angleOf(chosen).toFixed(1)}°, ${sides}`;
}

function drawChosen(view) {
  const { chosen } = view;
  unmark(view);
  view.shapes = chosen.map((atom) => mark(view, atom, atom.radius + 0.16));
  view.texts = chosen.map((atom) => label(view, atom.name, atom));
  for (let k = 1; k < chosen.length; k++) measure(view, chosen[k - 1], chosen[k]);
  if (chosen.length === 3) {
    const at = { x: chosen[1].x, y: chosen[1].y - 0.6, z: chosen[1].z };
    view.texts.push(label(view, `${angleOf(chosen).toFixed(1)}°`, at, true));
  }
  view.answer.textContent = measured(chosen);
  view.gl.render();
}

/** Up to three atoms; a click on a chosen one takes it out again, a fourth starts anew. */
function choose(view, atom) {
  const known = view.chosen.findIndex(({ key }) => key === atom.key);
  if (known >= 0) view.chosen.splice(known, 1);
  else view.chosen = view.chosen.length === 3 ? [atom] : [...view.chosen, atom];
  unhover(view);
  drawChosen(view);
  const [a, b, c] = view.chosen, round = (v) => Number(v.toFixed(4));
  view.send("picked", {
    id: view.data.id, t: Date.now(),
    atoms: view.chosen.map(({ name, elem, atom: index, image }) => ({ name, elem, index, image })),
    distance: b && !c ? round(distanceOf(a, b)) : null,
    angle: c ? round(angleOf(view.chosen)) : null,
  });
}

/* ---- controls ---- */

function make(tag, words, parent, more = {}) {
  const part = Object.assign(document.createElement(tag), more);
  part.textContent = words;
  parent.append(part);
  return part;
}

function toggle(view, text, title, on, change, refit = false) {
  const button = make("button", text, view.bar, { type: "button", title, ariaLabel: text });
  button.setAttribute("aria-pressed", on);
  button.onclick = () => {
    change();
    controls(view);
    redraw(view, refit);
    [...view.bar.querySelectorAll("button")].find((b) => b.textContent === text)?.focus();
  };
}

function controls(view) {
  const { look, bar } = view, part = partOf(view);
  bar.replaceChildren();
  const sizes = make("span", "", bar, { className: "sizes", title: "Repeat the cell along a, b, c" });
  AXES.forEach((name, axis) => {
    const select = make("select", "", sizes, { ariaLabel: `cells along ${name}` });
    for (const n of [1, 2, 3]) {
      const others = look.times.reduce((p, t, k) => (k === axis ? p : p * t), 1);
      const tooMany = n > 1 && part.atoms.length * n * others > MOST_ATOMS;
      make("option", `${n}${name}`, select, { value: n, selected: look.times[axis] === n,
                                              disabled: tooMany });
    }
    select.onchange = () => {
      look.times[axis] = Number(select.value);
      controls(view);
      redraw(view, true);
      view.bar.querySelectorAll("select")[axis].focus();
    };
  });
  toggle(view, "Bonds", "Show or hide bonds", look.bonds, () => { look.bonds = !look.bonds; });
  if (part.polyhedra.length)
    toggle(view, "Polyhedra", "Show or hide coordination polyhedra", look.polyhedra,
           () => { look.polyhedra = !look.polyhedra; });
  if (view.data.cells.length > 1)
    toggle(view, "Primitive", "The smallest cell instead of the conventional one", look.cell === 1,
           () => { Object.assign(look, { cell: 1 - look.cell, times: [1, 1, 1] }); view.chosen = []; },
           true);
  const reset = make("button", "Reset", bar, { type: "button", className: "reset", title: "Turn and zoom back" });
  reset.onclick = () => { atOnce(view.gl, () => {
    view.gl.setView([...view.gl.getView().slice(0, 4), ...view.home]);
    fit(view);
  }); };
}

function legend(view) {
  const { look } = view;
  view.legend.replaceChildren();
  for (const { symbol, name, colour } of view.data.elements) {
    const title = `${name}: click to show or hide it`;
    const button = make("button", "", view.legend, { type: "button", title });
    button.dataset.element = symbol;
    button.setAttribute("aria-pressed", !look.hidden.has(symbol));
    make("i", "", button).style.background = colour;
    make("b", symbol, button);
    make("span", name, button);
    button.onclick = () => {
      if (!look.hidden.delete(symbol)) look.hidden.add(symbol);
      legend(view);
      redraw(view);
      view.legend.querySelector(`[data-element="${symbol}"]`).focus();
    };
  }
}

/** Arrow keys turn the crystal, plus and minus zoom. */
function press(view, event) {
  const turn = TURNS[event.key], zoom = ZOOMS[event.key];
  if (!(turn || zoom) || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  if (turn) view.gl.rotate(...turn);
  else view.gl.zoom(zoom);
}

/* ---- life ---- */

function show(view, data) {
  const first = !view.data;
  view.data = data;
  if (first) {
    view.home = view.gl.getView().slice(4, 8);
    Object.assign(view.stage, { tabIndex: 0, role: "img", onkeydown: (e) => press(view, e) });
    view.look = { cell: 0, times: [1, 1, 1], bonds: true, polyhedra: true, hidden: new Set() };
  }
  view.stage.ariaLabel = `${data.title} in 3D: arrow keys turn it, plus and minus zoom`;
  Object.assign(view.look, { cell: 0, hidden: new Set() });
  if (partOf(view).atoms.length * view.look.times.reduce((p, t) => p * t) > MOST_ATOMS)
    view.look.times = [1, 1, 1];
  view.chosen = [];
  view.nameOf = (elem) => data.elements.find(({ symbol }) => symbol === elem).name;
  controls(view);
  legend(view);
  redraw(view, true);
  view.box.dataset.shown = data.id;
  say(view, "", "ready");
}

export default function ({ data, parentElement, setStateValue }) {
  const box = parentElement.querySelector(".mol");
  const done = live(box, data, setStateValue, { dress: build, show });
  Object.assign(box.viewer3d, { bar: box.querySelector(".bar"), legend: box.querySelector(".legend"),
                                answer: box.querySelector(".answer") });
  return done;
}
