/* Three slices through the labels, across z, y and x, which share a crosshair: a slider or a press on one
   of them moves it. The labels are those that the 3D view holds; nothing is asked of the server. */

// What each picture shows: the axis it cuts, and the axes that run right and down (0 x, 1 y, 2 z).
const CUTS = [[2, 0, 1], [1, 0, 2], [0, 1, 2]];

/** Canvases and sliders for a volume; call it when another one is shown. */
function slicesOf(view) {
  view.cross = view.count.map((n) => n >> 1);
  view.slices.replaceChildren();
  view.slices.hidden = !view.head.slices;
  if (view.slices.hidden) return;
  view.pictures = CUTS.map((axes) => pictureOf(view, axes));
  view.slices.append(...view.pictures.map((p) => p.figure));
  drawSlices(view);
}

function pictureOf(view, [across, right, down]) {
  const figure = document.createElement("figure"), canvas = document.createElement("canvas");
  const caption = document.createElement("figcaption"), slider = document.createElement("input");
  Object.assign(canvas, { width: view.count[right], height: view.count[down] });
  canvas.style.aspectRatio = `${view.lengths[right]} / ${view.lengths[down]}`;
  Object.assign(slider, { type: "range", min: 0, max: view.count[across] - 1, value: view.cross[across] });
  slider.setAttribute("aria-label", `slice across ${AXES[across]}`);
  slider.oninput = () => { view.cross[across] = Number(slider.value); drawSlices(view); };
  const press = (event) => {
    if (!event.buttons) return;
    const frame = canvas.getBoundingClientRect();
    const inside = (at, from, size, n) => Math.min(n - 1, Math.max(0, Math.floor((at - from) / size * n)));
    view.cross[right] = inside(event.clientX, frame.left, frame.width, view.count[right]);
    view.cross[down] = inside(event.clientY, frame.top, frame.height, view.count[down]);
    drawSlices(view);
  };
  canvas.onpointerdown = (event) => { canvas.setPointerCapture(event.pointerId); press(event); };
  canvas.onpointermove = press;
  figure.append(canvas, caption, slider);
  return { figure, canvas, caption, slider, across, right, down };
}

function drawSlices(view) {
  if (view.slices.hidden || !view.labels) return;
  for (const picture of view.pictures) drawSlice(view, picture);
  view.box.dataset.cross = view.cross.join(" ");
}

/** One slice in the phases' colours, with the lines where the two others cut it. */
function drawSlice(view, { canvas, caption, slider, across, right, down }) {
  const [nx, ny] = view.count, steps = [1, nx, nx * ny], paint = canvas.getContext("2d");
  const colours = view.phases.map((phase) => rgb(phase.color).map((c) => Math.round(255 * c)));
  const width = view.count[right], height = view.count[down], image = paint.createImageData(width, height);
  for (let j = 0; j < height; j++) for (let i = 0; i < width; i++) {
    const at = view.cross[across] * steps[across] + i * steps[right] + j * steps[down];
    image.data.set([...colours[view.labels[at]], 255], 4 * (j * width + i));
  }
  paint.putImageData(image, 0, 0);
  paint.fillStyle = "#e11d4899";
  paint.fillRect(view.cross[right], 0, 1, height);
  paint.fillRect(0, view.cross[down], width, 1);
  slider.value = view.cross[across];
  const place = (view.cross[across] + 0.5) * view.size[across];
  const text = view.head.unit === "voxel" ? view.cross[across] : `${Number(place.toPrecision(3))} ${view.head.unit}`;
  caption.textContent = `${AXES[across]} = ${text}; ${AXES[right]} →, ${AXES[down]} ↓`;
}
