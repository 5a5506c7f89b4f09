/* Viewer of one labelled volume: three slices, and in 3D turn, zoom, phases on and off, their colour and opacity, six planes
   that cut, a scale bar. All of it happens here; the server sends the labels once. */
const views = new WeakMap();
const HOME = { around: 0.6, above: 0.45, zoom: 1 };
const AXES = ["x", "y", "z"];
const REST = 180;  // milliseconds without motion after which a sharp picture is drawn
const NO_WEBGL = "This browser does not draw volumes: WebGL2 is switched off or blocked. " +
  "The slices below show the same.";

const rgb = (hex) => [1, 3, 5].map((k) => parseInt(hex.slice(k, k + 2), 16) / 255);

/** Header and labels of a message: four bytes of length, JSON, labels in gzip. */
async function unpacked(bytes) {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  const stream = new Blob([bytes.subarray(4 + length)]).stream();
  const plain = stream.pipeThrough(new DecompressionStream("gzip"));
  return [head, new Uint8Array(await new Response(plain).arrayBuffer())];
}

/** 1, 2 or 5 times a power of ten, at most `length`. */
function nice(length) {
  const power = 10 ** Math.floor(Math.log10(length)), share = length / power;
  return (share >= 5 ? 5 : share >= 2 ? 2 : 1) * power;
}

function say(view, text, state) {
  view.message.textContent = text;
  view.box.dataset.state = state;
}

/* ---- camera ---- */

/** Directions of the picture, and where the eye is, in lengths around the middle of the box. */
function cameraOf(view) {
  const [ca, sa] = [Math.cos(view.around), Math.sin(view.around)];
  const [ce, se] = [Math.cos(view.above), Math.sin(view.above)];
  const back = [ca * ce, sa * ce, se];
  return { right: [-sa, ca, 0], up: [-ca * se, -sa * se, ce], back, far: distanceOf(view) };
}

const distanceOf = (view) => Math.hypot(...view.lengths) * 1.68 / view.zoom;

/** Pixels that a length takes in the middle of the box. */
const pixelsPer = (view) => view.canvas.clientHeight * 1.6 / distanceOf(view);

/* ---- drawing ---- */

function draw(view, scale = 1) {
  const { gl, canvas } = view;
  view.asked = 0;
  if (!gl || gl.isContextLost() || !view.labels) return;
  const width = Math.max(1, canvas.clientWidth * scale | 0);
  const height = Math.max(1, canvas.clientHeight * scale | 0);
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  gl.viewport(0, 0, width, height);
  const { right, up, back, far } = cameraOf(view), at = (name) => gl.getUniformLocation(view.program, name);
  gl.uniformMatrix3fv(at("camera"), false, [...right, ...up, ...back]);
  gl.uniform3fv(at("eye"), view.count.map((n, k) => n / 2 + far * back[k] / view.size[k]));
  gl.uniform3fv(at("count"), view.count);
  gl.uniform3fv(at("size"), view.size);
  gl.uniform2f(at("screen"), width, height);
  gl.uniform3fv(at("low"), view.cuts.map((c) => c[0]));
  gl.uniform3fv(at("high"), view.cuts.map((c) => Math.max(c[0] + 1, c[1])));
  gl.uniform4fv(at("phases"), Array.from({ length: 8 }, (_, k) => {
    const phase = view.phases[k];
    return phase ? [...rgb(phase.color), phase.on ? phase.alpha : 0] : [0, 0, 0, 0];
  }).flat());
  gl.drawArrays(gl.TRIANGLES, 0, 3);
  if (scale === 1) measure(view);
}

/** The scale bar: a round length in the middle of the box. */
function measure(view) {
  const per = pixelsPer(view), room = 0.3 * view.canvas.clientWidth / per;
  const length = nice(Math.min(room, 0.5 * Math.max(...view.lengths)));
  view.bar.style.width = `${length * per}px`;
  view.bar.textContent = `${length} ${view.head.unit}${view.head.unit === "voxel" && length !== 1 ? "s" : ""}`;
  view.box.dataset.bar = length;
}

/** Coarse pictures while something moves, a sharp one at rest. */
function ask(view) {
  view.asked ||= requestAnimationFrame((now) => {
    const spent = now - view.last;
    view.last = now;
    if (spent < 400) view.quality *= spent > 50 ? 0.9 : spent < 25 ? 1.1 : 1;
    view.quality = Math.min(1, Math.max(0.3, view.quality));
    draw(view, view.quality);
    view.drawn += 1;
  });
  clearTimeout(view.settle);
  view.settle = setTimeout(() => draw(view, 1), REST);
}

function setUp(view) {
  view.gl = view.canvas.getContext("webgl2", { antialias: false, preserveDrawingBuffer: true });
  if (!view.gl) return say(view, NO_WEBGL, "failed");
  view.program = programOf(view.gl);
  view.gl.useProgram(view.program);
  if (view.labels) view.texture = textureOf(view.gl, view.head.shape, view.labels);
}

function show(view, head, labels) {
  const { gl } = view, most = gl?.getParameter(gl.MAX_3D_TEXTURE_SIZE) ?? 0;
  if (!gl) return;
  if (Math.max(...head.shape) > most) {
    return say(view, `This browser draws volumes of at most ${most} voxels along an edge.`, "failed");
  }
  const count = [...head.shape].reverse(), size = [...head.edges].reverse();
  const lengths = count.map((n, k) => n * size[k]);
  Object.assign(view, { head, labels, count, size, lengths, cuts: count.map((n) => [0, n]) });
  view.phases = head.phases.map((phase) => ({ ...phase }));
  gl.deleteTexture(view.texture);
  view.texture = textureOf(gl, head.shape, labels);
  controls(view);
  slicesOf(view);
  draw(view, 1);
  say(view, "", "ready");
  view.box.dataset.shown = head.id;
}

/* ---- controls ---- */

function row(view, text, ...parts) {
  const line = document.createElement("label"), name = document.createElement("span");
  name.textContent = text;
  line.append(...parts.slice(0, 1), name, ...parts.slice(1));
  view.panel.append(line);
}

function input(view, props, change) {
  const field = Object.assign(document.createElement("input"), props);
  field.oninput = () => { change(field); ask(view); };
  if (props.title) field.setAttribute("aria-label", props.title);
  return field;
}

function controls(view) {
  view.panel.replaceChildren();
  for (const phase of view.phases) {
    row(view, phase.name,
      input(view, { type: "checkbox", checked: phase.on, title: `show ${phase.name}` },
        (f) => { phase.on = f.checked; }),
      input(view, { type: "color", value: phase.color, title: `colour of ${phase.name}` },
        (f) => { phase.color = f.value; drawSlices(view); }),
      input(view, { type: "range", min: 0.1, max: 1, step: 0.05, value: phase.alpha,
        title: `opacity of ${phase.name}` }, (f) => { phase.alpha = Number(f.value); }));
  }
  AXES.forEach((axis, k) => {
    const ends = ["from", "to"].map((end, j) => input(view, {
      type: "range", min: 0, max: view.count[k], value: view.cuts[k][j], title: `cut along ${axis}, ${end}`,
    }, (f) => {
      const most = j ? view.count[k] : view.cuts[k][1] - 1, least = j ? view.cuts[k][0] + 1 : 0;
      view.cuts[k][j] = Math.min(most, Math.max(least, Number(f.value)));
    }));
    row(view, axis, ...[document.createElement("i"), ...ends]);
  });
}

function listen(view) {
  const { canvas } = view, turn = (around, above) => {
    view.around += around;
    view.above = Math.max(-1.5, Math.min(1.5, view.above + above));
    ask(view);
  };
  const nearer = (factor) => { view.zoom = Math.min(8, Math.max(0.4, view.zoom * factor)); ask(view); };
  canvas.onpointerdown = (event) => canvas.setPointerCapture(event.pointerId);
  canvas.onpointermove = (event) => {
    if (event.buttons) turn(-event.movementX * 0.01, event.movementY * 0.01);
  };
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    nearer(Math.exp(-event.deltaY * 0.001));
  }, { passive: false });
  canvas.ondblclick = () => { Object.assign(view, HOME); ask(view); };
  canvas.onkeydown = (event) => {
    const keys = { ArrowLeft: [0.1, 0], ArrowRight: [-0.1, 0], ArrowUp: [0, 0.1], ArrowDown: [0, -0.1] };
    if (keys[event.key]) turn(...keys[event.key]);
    else if (event.key === "+" || event.key === "-") nearer(event.key === "+" ? 1.15 : 1 / 1.15);
    else return;
    event.preventDefault();
  };
  canvas.addEventListener("webglcontextlost", (event) => event.preventDefault());
  canvas.addEventListener("webglcontextrestored", () => { setUp(view); draw(view, 1); });
  view.watch = new ResizeObserver(() => view.labels && draw(view, 1));
  view.watch.observe(canvas);
}

function create(box) {
  const find = (name) => box.querySelector(name);
  const view = { box, canvas: find("canvas"), room: find(".room"), panel: find(".panel"), bar: find(".scale"), message: find(".message"),
    slices: find(".slices"),
    ...HOME, quality: 0.5, asked: 0, job: 0, last: 0, drawn: 0 };
  view.draw = draw;
  box.volume = view;  // for tests
  setUp(view);
  listen(view);
  return view;
}

export default function ({ data, parentElement }) {
  const box = parentElement.querySelector(".volume");
  if (!views.has(box)) views.set(box, create(box));
  const view = views.get(box), job = ++view.job;
  unpacked(data).then(([head, labels]) => {
    view.room.style.height = `${head.height}px`;
    if (job === view.job && view.head?.id !== head.id) show(view, head, labels);
  }).catch((error) => say(view, `The volume could not be read: ${error.message}`, "failed"));
  return () => {
    clearTimeout(view.settle);
    view.watch.disconnect();
    view.gl?.getExtension("WEBGL_lose_context")?.loseContext();
    views.delete(box);
  };
}
