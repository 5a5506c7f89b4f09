/* A hidden carrier: puts one column into the window's store and takes no room in the page.
   Beyond LIMIT bytes the columns that were not used lately are dropped; a map that needs one of
   them again asks the server. */
const LIMIT = 160e6;
function decode(head, raw) {
  if (head.dtype === "text") return raw.length ? new TextDecoder().decode(raw).split("\n") : [];
  return head.dtype === "u2" ? new Uint16Array(raw.slice().buffer) : raw.slice();
}
function trim(parts) {
  let size = 0;
  for (const part of parts.values()) size += part.size;
  for (const [id, part] of parts) {
    if (size <= LIMIT) return;
    if (id.startsWith("settings:")) continue;
    parts.delete(id);
    size -= part.size;
  }
}
export default function ({ data, parentElement }) {
  const fresh = () => Object.assign(new EventTarget(), { parts: new Map() });
  const store = (window.__latmapStore ??= fresh());
  const n = new DataView(data.buffer, data.byteOffset).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(data.subarray(4, 4 + n)));
  const array = decode(head, data.subarray(4 + n));
  store.parts.delete(head.id);
  store.parts.set(head.id, { head, array, size: data.length });
  trim(store.parts);
  store.dispatchEvent(new Event("part"));
  const outer = parentElement.getRootNode().host?.closest('[data-testid="stElementContainer"]');
  if (outer) outer.style.display = "none";
}
