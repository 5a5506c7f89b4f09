/* Geometry of the map: the view on it, a grid over the points, picking and lassoing.
   Points are uint16 pairs; "unit" means 0..1 over the whole map, y upwards. */
const FULL = 65535;
const GONE = 255; // byte of a point that is filtered out, switched off or without a value

const TOOLS = 44; // pixels kept free for the tools
const COUNTS = 30; // and for the counts

const clamp = (v, low, high) => Math.max(low, Math.min(high, v));

/** Where the unit square lies on the screen; W, H and all distances in CSS pixels. */
class View {
  cx = 0.5;
  cy = 0.5;
  zoom = 1;
  W = 0;
  H = 0;
  spanX = 1; // extent of the data, so that both axes keep one scale
  spanY = 1;

  /** A map narrower than its frame stands a little to the left, clear of the legend; above it
      stay the tools, below it the counts. */
  fit() {
    const high = Math.max(this.H - TOOLS - COUNTS, this.H / 2);
    const px = Math.min((this.W - 48) / this.spanX, high / this.spanY);
    this.my = this.H - COUNTS - high / 2;
    this.mx = (this.W - clamp(this.W - 48 - px * this.spanX, 0, 190)) / 2;
    this.kx = Math.max(1, px * this.spanX) * this.zoom;
    this.ky = Math.max(1, px * this.spanY) * this.zoom;
  }
  sx(x) { return this.mx + (x - this.cx) * this.kx; }
  sy(y) { return this.my - (y - this.cy) * this.ky; }
  ux(px) { return this.cx + (px - this.mx) / this.kx; }
  uy(py) { return this.cy - (py - this.my) / this.ky; }

  pan(px, py) {
    this.cx = clamp(this.cx - px / this.kx, -0.1, 1.1);
    this.cy = clamp(this.cy + py / this.ky, -0.1, 1.1);
  }
  /** Zoom so that the place under (px, py) stays where it is. */
  zoomAt(factor, px = this.mx, py = this.my) {
    const x = this.ux(px), y = this.uy(py);
    this.zoom = clamp(this.zoom * factor, 0.5, 120); // beyond 120 the uint16 steps show
    this.fit();
    this.cx = clamp(this.cx + x - this.ux(px), -0.1, 1.1);
    this.cy = clamp(this.cy + y - this.uy(py), -0.1, 1.1);
  }
  home() { Object.assign(this, { cx: 0.5, cy: 0.5, zoom: 1 }); this.fit(); }
}

/** A stride that visits every row once in a scattered order. */
function strideOf(n) {
  const gcd = (a, b) => (b ? gcd(b, a % b) : a);
  let stride = Math.max(1, (n * 0.618) | 0);
  while (gcd(stride, n) > 1) stride++;
  return stride;
}

/** Uniform grid. `items` holds the rows sorted by cell and scattered inside a cell, so that
    every k-th item is a fair sample; `sorted` holds their positions in that order. */
function buildIndex(xy, n) {
  const G = clamp(Math.sqrt(n / 3) | 0, 8, 512), f = G / 65536, stride = strideOf(n);
  const start = new Uint32Array(G * G + 1), items = new Uint32Array(n);
  const cell = (i) => ((xy[2 * i + 1] * f) | 0) * G + ((xy[2 * i] * f) | 0);
  for (let i = 0; i < n; i++) start[cell(i) + 1]++;
  for (let k = 0; k < G * G; k++) start[k + 1] += start[k];
  const at = start.slice();
  for (let k = 0, i = 0; k < n; k++, i = (i + stride) % n) items[at[cell(i)]++] = i;
  const sorted = new Uint16Array(2 * n);
  for (let k = 0; k < n; k++) {
    sorted[2 * k] = xy[2 * items[k]];
    sorted[2 * k + 1] = xy[2 * items[k] + 1];
  }
  return { G, f, start, items, sorted };
}

/** Grid cells that a rectangle of the screen touches. */
function cellWindow(m, left, top, right, bottom) {
  const { G } = m.grid, v = m.view, q = (u) => clamp((u * G) | 0, 0, G - 1);
  return { x0: q(v.ux(left)), x1: q(v.ux(right)), y0: q(v.uy(bottom)), y1: q(v.uy(top)) };
}

/** Row of the nearest visible point within r CSS pixels of (px, py), -1 if there is none. */
function pick(m, px, py, r = 8) {
  const { G, start, items, sorted } = m.grid, v = m.view;
  const w = cellWindow(m, px - r, py - r, px + r, py + r);
  const x = v.ux(px) * FULL, y = v.uy(py) * FULL, kx = v.kx / FULL, ky = v.ky / FULL;
  let best = r * r, hit = -1;
  for (let row = w.y0; row <= w.y1; row++) {
    const end = start[row * G + w.x1 + 1];
    for (let k = start[row * G + w.x0]; k < end; k++) {
      if (m.bytes[k] === GONE) continue;
      const dx = (sorted[2 * k] - x) * kx, dy = (sorted[2 * k + 1] - y) * ky;
      const d = dx * dx + dy * dy;
      if (d < best) { best = d; hit = items[k]; }
    }
  }
  return hit;
}

/** Nearest visible point to the middle of the view, however far away. */
function pickCentre(m) {
  const { mx, my, W, H } = m.view;
  for (let r = 16; r < 4 * (W + H); r *= 2) {
    const hit = pick(m, mx, my, r);
    if (hit >= 0) return hit;
  }
  return -1;
}

/** Even-odd rule; `q` is x0, y0, x1, y1, ... The server uses the same formula. */
function inside(x, y, q) {
  let odd = false;
  for (let i = 0, j = q.length - 2; i < q.length; j = i, i += 2) {
    if (q[i + 1] > y === q[j + 1] > y) continue;
    if (x < ((q[j] - q[i]) * (y - q[i + 1])) / (q[j + 1] - q[i + 1]) + q[i]) odd = !odd;
  }
  return odd;
}

/** 1 for every grid cell that an edge of the polygon touches. */
function edgeCells({ G, f }, q) {
  const mark = new Uint8Array(G * G), cl = (v) => clamp(v | 0, 0, G - 1);
  for (let i = 0, j = q.length - 2; i < q.length; j = i, i += 2) {
    const dx = q[j] - q[i], dy = q[j + 1] - q[i + 1];
    const at = (row) => { // x of the edge where it enters grid row `row`
      const t = dy ? clamp((row / f - q[i + 1]) / dy, 0, 1) : row > q[i + 1] * f ? 1 : 0;
      return (q[i] + dx * t) * f;
    };
    const last = cl(Math.max(q[i + 1], q[j + 1]) * f);
    for (let row = cl(Math.min(q[i + 1], q[j + 1]) * f); row <= last; row++) {
      const a = at(row), b = at(row + 1);
      mark.fill(1, row * G + cl(Math.min(a, b) - 0.01), row * G + cl(Math.max(a, b) + 0.01) + 1);
    }
  }
  return mark;
}

/** Visible rows inside a polygon of unit coordinates [[x, y], ...]. Cells that no edge
    touches are all in or all out; only the others are tested point by point. */
function within(m, polygon) {
  const { G, f, start, items, sorted } = m.grid, out = new Uint32Array(m.n);
  const q = Float64Array.from(polygon.flat(), (v) => v * FULL), mark = edgeCells(m.grid, q);
  let count = 0;
  for (let k = 0; k < G * G; k++) {
    if (start[k] === start[k + 1]) continue;
    const edge = mark[k];
    if (!edge && !inside(((k % G) + 0.5) / f, (((k / G) | 0) + 0.5) / f, q)) continue;
    for (let s = start[k]; s < start[k + 1]; s++) {
      if (m.bytes[s] === GONE) continue;
      if (!edge || inside(sorted[2 * s], sorted[2 * s + 1], q)) out[count++] = items[s];
    }
  }
  return out.subarray(0, count);
}
