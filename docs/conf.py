"""How the site is built: ``make docs``. Warnings are errors, and nothing is fetched."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE / "_ext")]

from repository import HOME  # noqa: E402

from ipyws import __version__  # noqa: E402

project = "ipyws"
author = "the ipyws developers"
project_copyright = author
release = version = __version__
language = "en"
smartquotes_action = "D"  # the dashes of descriptions; quotes are code

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "references",
    "repository",
    "tables",
]
exclude_patterns = ["_ext"]
nitpicky = True
nitpick_ignore = [
    ("py:class", "C"),
    ("py:class", "ipyws.core.channels.select.C"),  # a type variable
    ("py:class", "ipyws.core.options.option.Option"),
]

# -- Markdown: what GitHub shows too -----------------------------------------------------------------

myst_heading_anchors = 3
myst_enable_extensions = ["fieldlist"]  # of the facts of an option
pygments_style = "tango"
pygments_dark_style = "monokai"

# -- the reference from docstrings -------------------------------------------------------------------

default_role = "py:obj"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
python_maximum_signature_line_length = 88
python_use_unqualified_type_names = True
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_custom_sections = [("Details", "params_style")]
add_module_names = False
toc_object_entries_show_parents = "hide"

# -- how it looks ------------------------------------------------------------------------------------

html_theme = "furo"
html_title = f"ipyws {release}"
html_copy_source = False
html_static_path = ["_static", "images"]  # pictures too: site.css puts dark ones in their place
html_css_files = ["site.css"]
html_show_sphinx = False
html_theme_options = {
    "source_repository": HOME,
    "source_branch": f"v{release}",
    "source_directory": "docs/",
    "top_of_page_buttons": [],
    "footer_icons": [{"name": "GitHub", "url": HOME, "html": "GitHub", "class": ""}],
}
