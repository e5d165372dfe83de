"""Puts a comment's HTML on a page that looks like a pull request: alerts, colours of a difference, a frame."""

import re
import sys

ALERT = re.compile(r"<blockquote>\n<p>\[!(TIP|NOTE|IMPORTANT|WARNING|CAUTION)\](?:<br />)?\n(.*?)</blockquote>", re.S)
DIFF = re.compile(r'<pre><code class="language-diff">(.*?)</code></pre>', re.S)


def alert(found):
    kind = found[1]
    return f'<div class="alert {kind.lower()}"><p class="title">{kind.capitalize()}</p>\n<p>{found[2]}</div>'


def difference(found):
    kinds = {"-": "out", "+": "in"}
    lines = found[1].rstrip("\n").split("\n")
    shown = [f'<span class="{kinds[line[0]]}">{line}</span>' if line[:1] in kinds else line for line in lines]
    return "<pre><code>" + "\n".join(shown) + "</code></pre>"


theme, body, style = sys.argv[1], open(sys.argv[2]).read(), open(sys.argv[3]).read()
body = DIFF.sub(difference, ALERT.sub(alert, body))
print(f"""<!doctype html><html lang="en"><head><meta charset="utf-8"><title>0</title><style>{style}</style></head>
<body class="{theme}"><div class="row"><div class="face">P</div><div class="card">
<div class="head"><b>promptops</b> <span class="tag">bot</span> commented</div><div class="body">{body}</div></div></div>
<script>document.title = Math.ceil(document.querySelector(".row").getBoundingClientRect().bottom + 16)</script></body></html>""")
