/* Frames of a walk, each as wide as the steps it holds. The SVG is drawn by the app itself;
   everything else is only ever set as text. */
function line(tag, text, parent, cls = "") {
  const part = document.createElement(tag);
  part.className = cls;
  part.textContent = text;
  parent.append(part);
  return part;
}

function frame(f, pick) {
  const button = document.createElement("button");
  button.type = "button";
  button.title = f.title;
  button.dataset.first = f.first;
  button.dataset.last = f.last;
  button.style.gridColumn = `${f.first + 1} / ${f.last + 2}`;
  button.style.setProperty("--tone", f.tone);
  line("b", f.first === f.last ? f.first : `${f.first}–${f.last}`, button);
  if (f.svg) {
    const drawing = line("div", "", button);
    drawing.innerHTML = f.svg;
  } else {
    button.className = "broken";
    line("div", "✗", button, "none");
  }
  const [sign, ...rest] = f.mark.split(" "), mark = line("small", sign, button);
  line("span", " " + rest.join(" "), mark, "rest");
  line("small", f.words, button, f.far ? "far" : "long");
  button.onclick = () => pick(f.first);
  return button;
}

export default function ({ data, parentElement, setTriggerValue }) {
  const box = parentElement.querySelector(".film");
  Object.assign(box.style, { paddingLeft: data.left + "px", paddingRight: data.right + "px",
    gridTemplateColumns: `repeat(${data.steps}, minmax(0, 1fr))` });
  box.classList.toggle("dark", data.dark);
  const text = JSON.stringify(data.frames);
  if (box.drawn !== text) {
    box.drawn = text;
    box.replaceChildren(...data.frames.map((f) => frame(f, (k) => setTriggerValue("picked", k))));
  }
  for (const button of box.children) {
    const here = +button.dataset.first <= data.step && data.step <= +button.dataset.last;
    if (here) button.setAttribute("aria-current", "step");
    else button.removeAttribute("aria-current");
  }
}
