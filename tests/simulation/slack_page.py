"""Slack messages as a page: Block Kit drawn as Slack's desktop client draws it, for looking at what people will see.

`python -m tests.simulation.slack_page OUT.html` writes the example messages, with `one` after it only the first. The
picture in docs/ is made of that:

    chromium --headless --hide-scrollbars --window-size=760,690 --screenshot=docs/slack-message.png OUT.html
"""

from __future__ import annotations

import html
import re
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

_STYLE = """
body { margin: 0; padding: 14px 20px; width: 720px; background: #fff; color: #1d1c1d;
  font: 15px/22px Lato, "Liberation Sans", "Noto Color Emoji", sans-serif; }
.message { display: grid; grid-template-columns: 36px 1fr; gap: 0 10px; padding: 8px 0; }
.message.reply { margin-left: 46px; }
.face { width: 36px; height: 36px; border-radius: 6px; background: #2d3e50; color: #fff; text-align: center;
  line-height: 36px; font-weight: bold; }
.reply .face { width: 24px; height: 24px; line-height: 24px; font-size: 12px; }
.from { font-weight: 900; } .app { font-size: 10px; background: #e8e8e8; border-radius: 2px; padding: 1px 3px; }
.at { color: #616061; font-size: 12px; }
h1 { font-size: 18px; line-height: 24px; margin: 6px 0 4px; font-weight: 900; }
.section { margin: 6px 0; display: flex; gap: 12px; } .section > div:first-child { flex: 1; min-width: 0; }
.fields { display: grid; grid-template-columns: 1fr 1fr; gap: 8px 16px; margin: 6px 0; }
.context { color: #616061; font-size: 13px; line-height: 18px; margin: 6px 0; } .context span { margin-right: 8px; }
.actions { margin: 8px 0; }
button { font: bold 13px/26px "Liberation Sans", sans-serif; border: 1px solid #bbb; border-radius: 4px;
  background: #fff; padding: 0 12px; margin-right: 8px; }
button.primary { background: #007a5a; border-color: #007a5a; color: #fff; }
button.danger { background: #e01e5a; border-color: #e01e5a; color: #fff; }
code { font: 12px/16px "Liberation Mono", monospace; color: #c01343; background: #f8f8f8; border: 1px solid #ddd;
  border-radius: 3px; padding: 1px 3px; overflow-wrap: anywhere; }
pre { font: 12px/18px "Liberation Mono", monospace; background: #f8f8f8; border: 1px solid #ddd; border-radius: 4px;
  padding: 8px; margin: 4px 0; white-space: pre-wrap; overflow-wrap: anywhere; }
a { color: #1264a3; text-decoration: none; }
.who { color: #1264a3; background: #e8f5fa; border-radius: 3px; padding: 0 2px; }
hr { border: 0; border-top: 1px solid #ddd; margin: 10px 0; }
"""
_CODE = re.compile(r"```(.+?)```|`([^`\n]+)`", re.DOTALL)
_BOLD = re.compile(r"(?<![\w*])\*(?! )([^*\n]+)(?<! )\*(?![\w*])")
_ITALIC = re.compile(r"(?<![\w_])_([^_\n]+)_(?![\w_])")
_MARKUP = re.compile(r"&lt;(.+?)&gt;")


def page(messages: Iterable[Mapping[str, Any]], *, people: Mapping[str, str] | None = None) -> str:
    """A page with messages. Each has `text`, `blocks`, and `thread` where it is an answer."""
    drawn = "\n".join(_message(each, people or {}) for each in messages)
    head = f'<meta charset="utf-8"><title>Slack</title><style>{_STYLE}</style>'
    return f'<!doctype html><html lang="en">{head}{drawn}</html>'


def _message(message: Mapping[str, Any], people: Mapping[str, str]) -> str:
    reply = " reply" if message.get("thread") else ""
    blocks = message["blocks"] or [{"type": "section", "text": {"type": "mrkdwn", "text": message["text"]}}]
    body = "\n".join(_block(block, people) for block in blocks)
    return (
        f'<div class="message{reply}"><div class="face">D</div><div><span class="from">Demarc</span> '
        f'<span class="app">APP</span> <span class="at">09:15</span>\n{body}</div></div>'
    )


def _block(block: Mapping[str, Any], people: Mapping[str, str]) -> str:
    match block["type"]:
        case "header":
            return f"<h1>{_entities(block['text']['text'])}</h1>"
        case "divider":
            return "<hr>"
        case "section":
            fields = "".join(f"<div>{_markdown(each['text'], people)}</div>" for each in block.get("fields", ()))
            text = _markdown(block["text"]["text"], people) if "text" in block else ""
            menu = f"<div>{_element(block['accessory'])}</div>" if "accessory" in block else ""
            drawn = f'<div class="section"><div>{text}</div>{menu}</div>' if text else ""
            return drawn + (f'<div class="fields">{fields}</div>' if fields else "")
        case "context":
            texts = "".join(f"<span>{_markdown(each['text'], people)}</span>" for each in block["elements"])
            return f'<div class="context">{texts}</div>'
        case "actions":
            return f'<div class="actions">{"".join(map(_element, block["elements"]))}</div>'
    raise ValueError(block["type"])


def _element(element: Mapping[str, Any]) -> str:
    if element["type"] == "overflow":
        return "<button>\N{HORIZONTAL ELLIPSIS}</button>"
    return f'<button class="{element.get("style", "")}">{html.escape(element["text"]["text"])}</button>'


def _entities(text: str) -> str:
    """Slack's three entities are HTML's; everything else is shown as it is."""
    return (
        html.escape(text, quote=False)
        .replace("&amp;amp;", "&amp;")
        .replace("&amp;lt;", "&lt;")
        .replace("&amp;gt;", "&gt;")
    )


def _markdown(text: str, people: Mapping[str, str]) -> str:
    drawn, end = [], 0
    for match in _CODE.finditer(text):
        drawn.append(_prose(text[end : match.start()], people))
        block, inline = match.groups()
        drawn.append(f"<pre>{_entities(block)}</pre>" if block else f"<code>{_entities(inline)}</code>")
        end = match.end()
    return "".join([*drawn, _prose(text[end:], people)]).replace("</pre><br>", "</pre>")


def _prose(text: str, people: Mapping[str, str]) -> str:
    # Markup has bare brackets, foreign text has entities: after one escaping they are `&lt;` and `&amp;lt;`.
    escaped = html.escape(text, quote=False)
    drawn = _MARKUP.sub(lambda match: _special(html.unescape(match[1]), people), escaped)
    drawn = _ITALIC.sub(r"<i>\1</i>", _BOLD.sub(r"<b>\1</b>", drawn))
    drawn = drawn.replace("&amp;amp;", "&amp;").replace("&amp;lt;", "&lt;").replace("&amp;gt;", "&gt;")
    return drawn.replace(":warning:", "\N{WARNING SIGN}\N{VARIATION SELECTOR-16}").replace("\n", "<br>")


def _special(inside: str, people: Mapping[str, str]) -> str:
    target, _, words = inside.partition("|")
    if target.startswith("!date^"):
        at = datetime.fromtimestamp(int(target.split("^")[1]), tz=UTC)
        return f"{at:%b} {at.day}, {at.year} at {at:%H:%M}"
    if target.startswith("@"):
        return f'<span class="who">@{html.escape(people.get(target[1:], target[1:]))}</span>'
    return f'<a href="{html.escape(target)}">{html.escape(words or target)}</a>'


def main() -> None:
    """Write the examples."""
    from tests.simulation.slack_examples import PEOPLE, examples

    shown = list(examples())
    Path(sys.argv[1]).write_text(page(shown[:1] if "one" in sys.argv else shown, people=PEOPLE))


if __name__ == "__main__":
    main()
