/* Which atoms, bonds and polyhedra of a crystal are drawn, for any number of cells. */
const EDGE = 0.02; // fractions this near a face are drawn on both sides

const partOf = (view) => view.data.cells[Math.min(view.look.cell, view.data.cells.length - 1)];
const keyOf = (atom, image) => `${atom} ${image.join(" ")}`;
const add = (one, two) => one.map((v, k) => v + two[k]);

/** Fractions -> place in Å. */
function place(lattice, f) {
  const along = (k) => f[0] * lattice[0][k] + f[1] * lattice[1][k] + f[2] * lattice[2][k];
  return { x: along(0), y: along(1), z: along(2) };
}

/** Lattice translations along one axis; atoms on a face stand on both. */
function steps(f, n) {
  const first = f > 1 - EDGE ? -1 : 0, last = f < EDGE ? n : n - 1;
  return Array.from({ length: last - first + 1 }, (_, k) => first + k);
}

function* images(f, n) {
  for (const a of steps(f[0], n[0]))
    for (const b of steps(f[1], n[1]))
      for (const c of steps(f[2], n[2])) yield [a, b, c];
}

/** CIF-like names: Co1, Co2, O1. */
function names(part, elements) {
  const seen = {};
  return part.atoms.map(([kind]) => {
    const { symbol } = elements[kind];
    return `${symbol}${(seen[symbol] = (seen[symbol] ?? 0) + 1)}`;
  });
}

/** Everything drawn, by key: atoms of the repeated cell and of polyhedra that leave it. */
function collect(view) {
  const part = partOf(view), { elements } = view.data, { look } = view;
  const called = names(part, elements), found = new Map();
  const seen = (k) => !look.hidden.has(elements[part.atoms[k][0]].symbol);
  const put = (k, image) => {
    const key = keyOf(k, image);
    if (!found.has(key) && seen(k)) {
      const [kind, ...f] = part.atoms[k];
      found.set(key, { ...elements[kind], ...place(part.lattice, add(f, image)),
                       key, atom: k, image, name: called[k], elem: elements[kind].symbol });
    }
  };
  part.atoms.forEach(([, ...f], k) => { for (const i of images(f, look.times)) put(k, i); });
  const shapes = look.polyhedra ? shapesOf(part, [...found.values()]) : [];
  for (const { corners } of shapes) for (const [k, image] of corners) put(k, image);
  return { part, atoms: found, shapes, bonds: look.bonds ? bondsOf(part, found) : [] };
}

function shapesOf(part, atoms) {
  const by = new Map(part.polyhedra.map((shape) => [shape.atom, shape]));
  return atoms.filter(({ atom }) => by.has(atom)).map(({ atom, image, colour }) => {
    const { corners, faces, edges } = by.get(atom);
    return { colour, faces, edges, corners: corners.map(([k, ...to]) => [k, add(to, image)]) };
  });
}

function bondsOf(part, atoms) {
  const by = new Map();
  for (const [one, two, a, b, c] of part.bonds) {
    if (!by.has(one)) by.set(one, []);
    by.get(one).push([two, [a, b, c]]);
  }
  const found = [];
  for (const { key, atom, image } of atoms.values())
    for (const [two, to] of by.get(atom) ?? []) {
      const other = keyOf(two, add(image, to));
      if (atoms.has(other)) found.push([key, other]);
    }
  return found;
}
