"""What is done to a site that JupyterLite has built, and to the lessons in it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Final

_APPS: Final = ("lab", "notebooks", "repl", "consoles", "edit", "tree")

# What JupyterLite's service worker is changed in; each has to be there once. It answers with the headers of
# cross-origin isolation, which hosts of static pages don't send (GitHub Pages), and keeps the whole site: a
# page that was loaded once needs no network. A new version of the site is another worker, with its own cache.
_WORKER: Final = (
    ("n&&e.respondWith(n)", "n&&e.respondWith(n.then(isolated))"),
    ('CACHE="precache"', 'CACHE="ipyws-@VERSION@"'),
    ('caches.open("precache")', "caches.open(CACHE)"),
    ('enableCache="true"===new URL(location.href).searchParams.get("enableCache")', "enableCache=!0"),
    ("let enableCache=!1", "let enableCache=!0"),
    ("return a?e.waitUntil(refetch(t)):", "return a||"),
    ("await openCache()).put(e,t)", "await openCache()).put(e,await isolated(t))"),
    ("e.waitUntil(self.clients.claim())", "e.waitUntil(forgetOthers().then(()=>self.clients.claim()))"),
)

# Beside it: the headers; and keeping, when a page asks for it, all files of the site. What is kept has the
# headers already and is passed on as it is, so that the browser may keep its compiled code too.
_KEEPING: Final = """
async function isolated(answer) {
  if (!answer || answer.status === 0 || answer.type === 'opaque') return answer;
  if (answer.headers.has('Cross-Origin-Embedder-Policy')) return answer;
  const headers = new Headers(answer.headers);
  headers.set('Cross-Origin-Opener-Policy', 'same-origin');
  headers.set('Cross-Origin-Embedder-Policy', 'require-corp');
  headers.set('Cross-Origin-Resource-Policy', 'same-origin');
  const body = [101, 204, 205, 304].includes(answer.status) ? null : answer.body;
  return new Response(body, {status: answer.status, statusText: answer.statusText, headers});
}
async function forgetOthers() {
  for (const name of await caches.keys())
    if (name !== CACHE && (name === 'precache' || name.startsWith('ipyws-'))) await caches.delete(name);
}
async function keepAllFiles() {
  const cache = await openCache();
  for (const file of await (await fetch('ipyws-files.json')).json()) {
    const url = new URL(file, registration.scope).href;
    if (!(await cache.match(url))) await cache.put(url, await isolated(await fetch(url)));
  }
  return cache.keys();
}
self.addEventListener('message', event => {
  if (event.data !== 'ipyws-keep') return;
  event.waitUntil(keepAllFiles().then(
    kept => event.source.postMessage({ipyws: 'kept', files: kept.length}),
    error => event.source.postMessage({ipyws: 'not kept', why: String(error)})));
});
"""

# In each page, before anything else. The first part mends a library that JupyterLite's kernel is bundled with
# (coincident 1.x): it loses a reply that is there before Atomics.waitAsync looks, and a cell waits for ever.
# The second loads the page again once the service worker answers for it; after two loads it is as it is.
_HEAD: Final = """<head><script>
(original => {
  if (original) Atomics.waitAsync = (...args) => {
    const waiting = original.call(Atomics, ...args);
    if (waiting.async) return waiting;
    return {async: true, value: new Promise(done => setTimeout(done, 20, waiting.value))};
  };
})(Atomics.waitAsync);
(async () => {
  const workers = navigator.serviceWorker;
  if (!workers) return;
  await workers.register('@ROOT@service-worker.js?enableCache=false');
  await workers.ready;
  const again = () => {
    const times = Number(sessionStorage.getItem('ipyws-loads') || 0);
    if (times >= 2) return;
    sessionStorage.setItem('ipyws-loads', times + 1);
    location.reload();
  };
  if (!crossOriginIsolated) {
    if (workers.controller) again();
    else workers.addEventListener('controllerchange', again);
    return;
  }
  sessionStorage.removeItem('ipyws-loads');
  workers.addEventListener('message', ({data}) => {
    if (data && data.ipyws) document.documentElement.dataset.ipyws = data.ipyws;
  });
  const keep = () => workers.controller && workers.controller.postMessage('ipyws-keep');
  if (workers.controller) setTimeout(keep, 15000);
  else workers.addEventListener('controllerchange', () => setTimeout(keep, 15000));
})();
</script>"""


def finish(site: Path) -> None:
    """Make of a JupyterLite site the one of the lessons.

    Args:
        site: Its folder.
    """
    for path in site.rglob("*.map"):
        path.unlink()  # half of the site, for those who debug JupyterLab
    for app in _APPS:
        page = site / app / "index.html"
        if page.is_file():
            _change(page, (("<head>", _HEAD.replace("@ROOT@", "../")),))
    files = sorted(path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file())
    kept = [name for name in files if name != "service-worker.js"]
    (site / "ipyws-files.json").write_text(json.dumps(kept))
    worker = site / "service-worker.js"
    version = _version(site, kept)
    _change(worker, [(old, new.replace("@VERSION@", version)) for old, new in _WORKER])
    worker.write_text(worker.read_text("utf-8") + _KEEPING, "utf-8")


def _change(path: Path, changes: Any) -> None:
    text = path.read_text("utf-8")
    for old, new in changes:
        if text.count(old) != 1:
            raise SystemExit(f"{path.name} has {text.count(old)} times {old!r}: JupyterLite has changed")
        text = text.replace(old, new)
    path.write_text(text, "utf-8")


def _version(site: Path, names: list[str]) -> str:
    """Return what changes whenever a file does."""
    found = hashlib.sha256()
    for name in names:
        found.update(name.encode() + b"\0" + hashlib.sha256((site / name).read_bytes()).digest())
    return found.hexdigest()[:16]


def lesson(notebook: dict[str, Any]) -> dict[str, Any]:
    """Return a lesson for the kernel of the page; a cell that can't run there says why."""
    notebook["metadata"]["kernelspec"] = {"name": "python", "display_name": "Python (Pyodide)"}
    for cell in notebook["cells"]:
        if why := cell["metadata"].get("ipyws", {}).get("not_in_browser"):
            lines = "".join(cell["source"]).splitlines()
            told = [f"print({'Not in a browser: ' + why!r})", *(f"# {line}".rstrip() for line in lines)]
            cell["source"] = "\n".join(told)
    return notebook
