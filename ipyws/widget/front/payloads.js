/* ---- Payloads as DOM ------------------------------------------------------------------------------------- */

const TOKEN = /("[^"\\]*(?:\\.[^"\\]*)*"?)(\s*:)?|-?\d[\d.eE+-]*|\b(?:true|false|null)\b/g;

/**
 * One line of JSON, maybe cut, with light colours.
 * @param {string} text
 */
function coloured(text) {
  const pieces = [];
  let end = 0;
  for (const match of text.matchAll(TOKEN)) {
    const look = !match[1] ? "number" : match[2] ? "key" : "string";
    pieces.push(text.slice(end, match.index), span(look, match[1] ?? match[0]), match[2] ?? "");
    end = match.index + match[0].length;
  }
  return [...pieces, text.slice(end)];
}

/**
 * Where any of some strings stand in a text, one after the other.
 * @param {string} text
 * @param {string[]} hits
 */
function placesOf(text, hits) {
  /** @type {[number, number][]} */
  const places = [];
  for (let from = 0; places.length < MARKS; ) {
    const found = hits.map((hit) => [text.indexOf(hit, from), hit.length]).filter(([at]) => at >= 0);
    const [at, length] = found.sort(([a], [b]) => a - b)[0] ?? [-1, 0];
    if (at < 0) break;
    places.push([at, at + length]);
    from = at + length;
  }
  return places;
}

/**
 * Mark strings in what an element says; they may go over several parts of it.
 * @param {Element} element
 * @param {string[]} hits
 */
function markHits(element, hits) {
  const text = element.textContent ?? "";
  const wanted = hits.filter(Boolean);
  if (!wanted.length || text.length > MARKED_TEXT) return;
  const places = placesOf(text, wanted);
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  const nodes = [];
  for (let at = 0, node = walker.nextNode(); node; node = walker.nextNode()) {
    const said = node.textContent ?? "";
    nodes.push({ node, at, said });
    at += said.length;
  }
  for (const { node, at, said } of nodes) {
    if (node.parentElement?.tagName === "MARK") continue;
    const inside = places.map(([from, to]) => [Math.max(0, from - at), Math.min(said.length, to - at)])
      .filter(([from, to]) => from < to);
    if (!inside.length) continue;
    const pieces = [];
    let end = 0;
    for (const [from, to] of inside) {
      pieces.push(said.slice(end, from), make("mark", {}, said.slice(from, to)));
      end = to;
    }
    /** @type {Text} */ (node).replaceWith(...pieces, said.slice(end));
  }
}

/**
 * Whether a part of a value has one of some strings in it.
 * @param {protocol.Node} node
 * @param {string[]} hits
 * @returns {boolean}
 */
const hasHit = ({ key, text, items }, hits) =>
  hits.some((hit) => key.includes(hit) || text.includes(hit)) || items.some((item) => hasHit(item, hits));

/**
 * A part of a value as a tree whose children are made when it is first opened: at once where there is a hit.
 * @param {protocol.Node} node
 * @param {string[]} hits
 * @returns {HTMLElement}
 */
function tree({ key, look, text, items }, hits, name = key, open = false) {
  const label = name ? [span("key", name), ": "] : [];
  if (look !== "object" && look !== "array") return make("div", { class: "leaf" }, ...label, span(look, text));
  const [first, last, unit] = look === "array" ? ["[", "]", "item"] : ["{", "}", "key"];
  const rest = items.at(-1)?.look === "rest";
  const size = span("dim", plural(items.length - Number(rest), unit) + (rest ? " shown" : ""));
  const summary = make("summary", {}, ...label, `${first} `, size, ` ${last}`);
  const branch = make("details", { class: "branch" }, summary);
  const grow = () => appendInParts(branch, items, TREE_PART, (child, index) =>
    tree(child, hits, child.look === "rest" ? "" : child.key || String(index),
      hits.length > 0 && hasHit(child, hits)));
  if (open) grow();
  else branch.addEventListener("toggle", grow, { once: true });
  branch.open = open;
  return branch;
}

/** @param {protocol.Body["dump"]} lines */
function hexdump(lines) {
  const dump = make("div", { class: "hex" });
  appendInParts(dump, lines, HEX_PART, ([offset, bytes, characters]) => {
    const groups = `${bytes.slice(0, 24)} ${bytes.slice(24)}`.trimEnd(); // of eight, as in cells
    const cells = [span("dim", offset), span("number", groups.padEnd(49)), span("string", characters)];
    return make("div", {}, ...cells.flatMap((cell) => [cell, "  "]));
  });
  return dump;
}

/**
 * What there is to show, in the form that says most: a tree, a hexdump, or else the text as it is.
 * @param {protocol.Body} body
 * @param {boolean} raw
 * @param {string[]} hits
 */
function drawn({ text, tree: root, dump }, raw, hits) {
  if (dump.length) return hexdump(dump);
  return root && !raw ? tree(root, hits, "", true) : make("pre", {}, text);
}

/**
 * The part of a payload that is looked at.
 * @param {protocol.Payload} payload
 * @param {boolean} raw
 */
const bodyOf = ({ shown, raw: came }, raw) => (raw && came) || shown;

/** @param {protocol.Body} body */
const bodyText = ({ text, dump }) => dump.map((line) => line.join("  ")).join("\n") || text;
