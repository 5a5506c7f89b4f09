/* One molecule or crystal in 3D from a file's text; see stage3d.js. */
const nameOf = (atom) => `${atom.elem}${atom.index + 1}`; // people count from 1

/** The chosen atoms; between two of them a dashed line with the distance. */
function drawChosen(view) {
  const [a, b] = view.chosen;
  unmark(view);
  view.shapes = view.chosen.map((atom) => mark(view, atom));
  view.texts = view.chosen.map((atom) => label(view, nameOf(atom), atom));
  if (b) measure(view, a, b);
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
  gl.setHoverable({}, true, (atom) => hover(view, nameOf(atom), atom), () => unhover(view));
  gl.setClickable({}, true, (atom) => choose(view, atom));
  dress(view);
  frame(view, [...view.model.selectedAtoms({}), ...corners(view)]);
}

export default function ({ data, parentElement, setStateValue }) {
  return live(parentElement.querySelector(".mol"), data, setStateValue, { dress, show });
}
