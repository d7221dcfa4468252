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
 * A part of a value as a tree whose children are made when it is first opened.
 * @param {protocol.Node} node
 * @returns {HTMLElement}
 */
function tree({ key, look, text, items }, name = key, open = false) {
  const label = name ? [span("key", name), ": "] : [];
  if (look !== "object" && look !== "array") return make("div", { class: "leaf" }, ...label, span(look, text));
  const [first, last, unit] = look === "array" ? ["[", "]", "item"] : ["{", "}", "key"];
  const rest = items.at(-1)?.look === "rest";
  const size = span("dim", plural(items.length - Number(rest), unit) + (rest ? " shown" : ""));
  const summary = make("summary", {}, ...label, `${first} `, size, ` ${last}`);
  const branch = make("details", { class: "branch" }, summary);
  const grow = () => appendInParts(branch, items, TREE_PART, (child, index) =>
    tree(child, child.look === "rest" ? "" : child.key || String(index)));
  if (open) grow();
  else branch.addEventListener("toggle", grow, { once: true });
  branch.open = open;
  return branch;
}

/** @param {protocol.Body["dump"]} lines */
function hexdump(lines) {
  const dump = make("div", { class: "hex" });
  appendInParts(dump, lines, HEX_PART, ([offset, bytes, characters]) => {
    const cells = [span("dim", offset), span("number", bytes.padEnd(48)), span("string", characters)];
    return make("div", {}, ...cells.flatMap((cell) => [cell, "  "]));
  });
  return dump;
}

/**
 * What there is to show, in the form that says most: a tree, a hexdump, or else the text as it is.
 * @param {protocol.Body} body
 * @param {boolean} raw
 */
function drawn({ text, tree: root, dump }, raw) {
  if (dump.length) return hexdump(dump);
  return root && !raw ? tree(root, "", true) : make("pre", {}, text);
}

/**
 * The part of a payload that is looked at.
 * @param {protocol.Payload} payload
 * @param {boolean} raw
 */
const bodyOf = ({ shown, raw: came }, raw) => (raw && came) || shown;

/** @param {protocol.Body} body */
const bodyText = ({ text, dump }) => dump.map((line) => line.join("  ")).join("\n") || text;
