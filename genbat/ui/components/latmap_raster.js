/* Draws the points: a plain JavaScript rasteriser on a 2D canvas. Where there is no GPU it is
   many times faster than blending the same points in software WebGL. */
const PAD = 14; // margin of the buffer in device pixels: discs at the border need no clipping
const LEVELS = [[0.5, 4e4], [0.6, 1.2e5], [0.8, 3e5], [1, 8e5], [1, Infinity]];
const REST = 4; // LEVELS are [resolution, most points] while moving; this one is for rest
const COLOUR = [0, 253], BACK = [254, 254], GHOST = [GONE, GONE]; // layers: ranges of bytes

/** Density that a typical point of a layer feels, in points per square CSS pixel. Weighting
    with c^1.5 keeps dense cores from shrinking everybody's dots. */
function feltDensity(m, tally, w) {
  const { G } = m.grid;
  let sum = 0, sum2 = 0;
  for (let y = w.y0; y <= w.y1; y++) {
    for (let k = y * G + w.x0; k <= y * G + w.x1; k++) {
      sum += tally[k];
      sum2 += tally[k] * Math.sqrt(tally[k]);
    }
  }
  const cellArea = (m.view.kx / G) * (m.view.ky / G);
  return sum ? (sum2 / sum) ** 2 / cellArea : 0;
}

/** Diameter in CSS pixels, and whether dots are soft and add up (crowded) or crisp discs. */
function dotOf(density) {
  const ideal = 1.9 / Math.sqrt(density + 1e-9), soft = ideal < 4.5;
  return { soft, size: soft ? clamp(ideal, 1.5, 3.4) : Math.min(9, ideal * 0.75) };
}

/** Everything a pass over the points needs: buffer size, transform, what is on screen. */
function makeFrame(m, res, budget) {
  const v = m.view, d = m.D * res, w = (v.W * d) | 0, h = (v.H * d) | 0;
  const window = cellWindow(m, 0, 0, v.W, v.H), { G, start } = m.grid;
  let count = 0;
  for (let y = window.y0; y <= window.y1; y++) {
    count += start[y * G + window.x1 + 1] - start[y * G + window.x0];
  }
  const kx = v.kx * d, ky = v.ky * d;
  return {
    d, w, h, w2: w + 2 * PAD, h2: h + 2 * PAD, window, count,
    step: Math.max(1, Math.ceil(count / budget)),
    ax: kx / FULL, bx: v.mx * d - v.cx * kx + PAD,
    ay: -ky / FULL, by: v.my * d + v.cy * ky + PAD,
  };
}

/** Buffers are allocated once for the largest size: new ones cause pauses while moving. */
function prepareBuffers(m, f) {
  const N = f.w2 * f.h2;
  if (!(m.room >= N)) {
    m.room = N;
    m.buffer = new ArrayBuffer(4 * N);
    m.sum = new Float32Array(4 * N);
    m.image = null;
  }
  if (m.image?.width !== f.w2 || m.image.height !== f.h2) {
    m.image = new ImageData(new Uint8ClampedArray(m.buffer, 0, 4 * N), f.w2, f.h2);
  }
  if (m.canvas.width !== f.w || m.canvas.height !== f.h) {
    m.canvas.width = f.w;
    m.canvas.height = f.h;
  }
  const [r, g, b] = m.paperColour;
  new Uint32Array(m.buffer, 0, N).fill(((255 << 24) | (b << 16) | (g << 8) | r) >>> 0);
}

/** Calls paint(pixel, byte) for the points of one layer that are on screen. */
function eachPoint(m, f, [low, high], paint) {
  const { G, start, sorted } = m.grid, bytes = m.bytes;
  const { window: v, step, ax, bx, ay, by, w2 } = f;
  const right = f.w2 - PAD / 2, bottom = f.h2 - PAD / 2;
  for (let row = v.y0; row <= v.y1; row++) {
    const end = start[row * G + v.x1 + 1];
    for (let k = Math.ceil(start[row * G + v.x0] / step) * step; k < end; k += step) {
      const b = bytes[k];
      if (b < low || b > high) continue;
      const x = sorted[2 * k] * ax + bx, y = sorted[2 * k + 1] * ay + by;
      if (x < PAD / 2 || y < PAD / 2 || x >= right || y >= bottom) continue;
      paint((y | 0) * w2 + (x | 0), b * 4);
    }
  }
}

/** Pixels of a disc: offsets in the buffer, their cover 0..1 and their shade (1 = full colour,
    less towards a rim of background colour). */
function stampOf(size, rim, w2) {
  const offsets = [], cover = [], shade = [], r = size / 2, q = Math.ceil(r);
  for (let y = -q; y <= q; y++) {
    for (let x = -q; x <= q; x++) {
      const c = clamp(r + 0.5 - Math.hypot(x, y), 0, 1);
      if (c <= 0.08) continue;
      offsets.push(y * w2 + x);
      cover.push(c);
      shade.push(rim ? clamp(r - rim + 0.5 - Math.hypot(x, y), 0.45, 1) : 1);
    }
  }
  const f32 = (a) => Float32Array.from(a);
  return { offsets: Int32Array.from(offsets), cover: f32(cover), shade: f32(shade) };
}

/** Discs one over the other. */
function paintDiscs(m, f, layer, size, alpha, rim) {
  const { offsets, cover, shade } = stampOf(size, rim, f.w2), [br, bg, bb] = m.paperColour;
  const px = m.image.data, lut = m.lut, len = offsets.length;
  eachPoint(m, f, layer, (p, c) => {
    const r = lut[c], g = lut[c + 1], b = lut[c + 2];
    for (let j = 0; j < len; j++) {
      const i = 4 * (p + offsets[j]), a = cover[j] * alpha, u = shade[j], v = 1 - u;
      px[i] += (r * u + br * v - px[i]) * a;
      px[i + 1] += (g * u + bg * v - px[i + 1]) * a;
      px[i + 2] += (b * u + bb * v - px[i + 2]) * a;
    }
  });
}

/** Adds up the colours of a layer in `m.sum` (r, g, b, weight). */
function addUp(m, f, layer, size) {
  const sum = m.sum, lut = m.lut;
  sum.fill(0, 0, 4 * f.w2 * f.h2);
  if (size < 1.7) { // a dot is one pixel
    return eachPoint(m, f, layer, (p, c) => {
      p *= 4;
      sum[p] += lut[c]; sum[p + 1] += lut[c + 1]; sum[p + 2] += lut[c + 2]; sum[p + 3]++;
    });
  }
  const { offsets, cover } = stampOf(size, 0, f.w2), len = offsets.length;
  eachPoint(m, f, layer, (p, c) => {
    const r = lut[c], g = lut[c + 1], b = lut[c + 2];
    for (let j = 0; j < len; j++) {
      const i = 4 * (p + offsets[j]), a = cover[j];
      sum[i] += r * a; sum[i + 1] += g * a; sum[i + 2] += b * a; sum[i + 3] += a;
    }
  });
}

/** Crowded layer: mean colour in a pixel, opacity growing with the log of the count, so that
    lone points, thin rings and dense cores are all seen. */
function paintSoft(m, f, layer, size, density) {
  addUp(m, f, layer, size);
  const side = (size < 1.7 ? 1 : size) / f.d, peak = Math.max(8, 3 * density * side * side);
  const low = 0.5 + 0.3 * Math.exp(-peak / 25), up = (1 - low) / Math.log(peak);
  const px = m.image.data, sum = m.sum, N4 = 4 * f.w2 * f.h2, step = f.step;
  for (let i = 0; i < N4; i += 4) {
    const q = sum[i + 3];
    if (!q) continue;
    const z = q * step, a = z < 1 ? low * z : Math.min(1, low + up * Math.log(z));
    const s = a / q, t = 1 - a;
    px[i] = sum[i] * s + px[i] * t;
    px[i + 1] = sum[i + 1] * s + px[i + 1] * t;
    px[i + 2] = sum[i + 2] * s + px[i + 2] * t;
  }
}

function paintLayer(m, f, layer, tally) {
  const density = feltDensity(m, tally, f.window), { size, soft } = dotOf(density);
  const px = Math.max(1, size * f.d);
  if (soft) paintSoft(m, f, layer, px, density);
  else paintDiscs(m, f, layer, px, 0.92, size > 5 ? f.d : 0);
  return { size, soft };
}

/** One picture: what is out of question faintly at the bottom, then grey, then colour. */
function drawPoints(m, moving) {
  const t0 = performance.now(), [res, budget] = LEVELS[moving ? m.level : REST];
  const f = makeFrame(m, res, budget);
  prepareBuffers(m, f);
  let dot = dotOf(0);
  const ghosts = m.n - m.shown, coloured = m.shown - m.backs;
  if (ghosts) paintDiscs(m, f, GHOST, Math.max(1, 2.2 * f.d), 0.5, 0);
  if (m.backs) dot = paintLayer(m, f, BACK, m.tallyBack);
  if (coloured) dot = paintLayer(m, f, COLOUR, m.tally);
  m.paper.putImageData(m.image, -PAD, -PAD);
  const { step, count } = f, ms = performance.now() - t0;
  m.info = { step, res, count, size: dot.size, soft: dot.soft, level: m.level, ms };
}
