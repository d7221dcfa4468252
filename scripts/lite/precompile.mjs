// Compiles what is in wheels and zip files with the page's own Python: a page has nowhere to keep bytecode,
// and would compile each module at each start. Called by build.py with Pyodide's folder, that of the files,
// and that of the results.

import {readdirSync, readFileSync} from 'node:fs';
import {pathToFileURL} from 'node:url';

process.on('uncaughtException', error => { // without a line of Pyodide, which is as long as a book
  console.error(String(error));
  process.exit(1);
});
const [pyodide, plain, compiled] = process.argv.slice(2);
const {loadPyodide} = await import(pathToFileURL(`${pyodide}/pyodide.mjs`));
const python = await loadPyodide({indexURL: pyodide});
python.FS.mkdirTree('/plain');
python.FS.mkdirTree('/compiled');
python.FS.mount(python.FS.filesystems.NODEFS, {root: plain}, '/plain');
python.FS.mount(python.FS.filesystems.NODEFS, {root: compiled}, '/compiled');
const program = readFileSync(new URL('precompile.py', import.meta.url), 'utf-8');
const compile = python.runPython(`${program}\ncompile_archive`);
for (const name of readdirSync(plain)) compile(`/plain/${name}`, `/compiled/${name}`);
