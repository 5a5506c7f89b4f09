/* A grid of drawings. The SVG is drawn by the app itself; names are only ever set as text. */
function line(tag, text, parent) {
  const part = document.createElement(tag);
  part.textContent = text;
  parent.append(part);
}

function tile({ svg, title, note }, pick) {
  const button = document.createElement("button");
  button.type = "button";
  button.title = note ? `${title} · ${note}` : title;
  button.innerHTML = svg;
  line("b", title, button);
  if (note) line("small", note, button);
  button.onclick = pick;
  return button;
}

export default function ({ data, parentElement, setTriggerValue }) {
  const box = parentElement.querySelector(".gallery");
  parentElement.querySelector("p").textContent = data.title;
  box.style.gridTemplateColumns = `repeat(${data.columns}, minmax(0, 1fr))`;
  const text = JSON.stringify(data.tiles);
  if (box.drawn === text) return; // a rerun with the same drawings keeps the focus
  box.drawn = text;
  box.replaceChildren(...data.tiles.map((t, k) => tile(t, () => setTriggerValue("picked", k))));
}
