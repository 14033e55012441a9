"""Choose the text that a person reads: the plain one, or the HTML as text where that says more."""

from __future__ import annotations

from postroom.mail.content.body_parts import Bodies
from postroom.mail.html import to_text
from postroom.mail.reply_text import visible

_SHORT = 500
_TIMES_LONGER = 2
# "Your program does not show HTML", "View this in your browser", whatever the language.
_POINTS_ELSEWHERE = ("html", "browser", "navigateur", "navegador", "浏览器", "瀏覽器", "ブラウザ", "браузер")


def best_text(content: Bodies, sanitised_html: str | None) -> str:
    """Return the text parts when they are the whole body and say something, else the HTML read as text."""
    text = content.text or ""
    if sanitised_html is None:
        return text
    if not content.text_complete or _is_blank(text):
        return to_text(sanitised_html)
    if len(text) > _SHORT or not any(map(text.lower().__contains__, _POINTS_ELSEWHERE)):
        return text
    html_text = to_text(sanitised_html)
    return html_text if len(html_text) >= _TIMES_LONGER * len(text) else text


def _is_blank(text: str) -> bool:
    """Say whether nothing can be seen; of a long text only its beginning is looked at."""
    return not visible(text[:_SHORT]) and not text[_SHORT:].strip()
