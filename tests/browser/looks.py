"""Measures how well the tab's texts stand out from what lies behind them."""

from __future__ import annotations

from playwright.sync_api import Locator

# Contrast as WCAG 2.2 defines it; half-transparent colours are laid over each other from the page's own up.
_CONTRASTS = """(root) => {
    const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    const rgba = (colour) => {
        canvas.clearRect(0, 0, 1, 1);
        canvas.fillStyle = colour;
        canvas.fillRect(0, 0, 1, 1);
        return Array.from(canvas.getImageData(0, 0, 1, 1).data, (part) => part / 255);
    };
    const over = (top, below) => [0, 1, 2].map((part) => top[part] * top[3] + below[part] * (1 - top[3]));
    const linear = (part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    const light = ([red, green, blue]) => 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
    const behind = (element) => element
        ? over(rgba(getComputedStyle(element).backgroundColor), behind(element.parentElement)) : [1, 1, 1];
    const found = {};
    const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
        const element = texts.currentNode.parentElement, text = texts.currentNode.textContent.trim();
        const style = getComputedStyle(element);
        const seen = element.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true });
        if (!text || !seen || element.closest("[disabled]") || !element.closest("[class*=wan-]")) continue;
        const ground = behind(element), ink = over(rgba(style.color), ground);
        const [dark, bright] = [light(ground), light(ink)].sort((one, other) => one - other);
        const ratio = (bright + 0.05) / (dark + 0.05);
        const name = `${element.className || element.tagName}: ${text.slice(0, 40)}`;
        found[name] = Math.min(found[name] ?? 99, Math.round(ratio * 100) / 100);
    }
    return found;
}"""


def contrasts(root: Locator) -> dict[str, float]:
    """Contrast, from 1 to 21, of every text of the tab's own making that is seen; by its class and its words."""
    found = {str(name): float(ratio) for name, ratio in root.evaluate(_CONTRASTS).items()}
    assert found, "no text was found"
    return found


# The labels of gradio's controls; of the tab's own making all controls.
_CONTROLS = """(root, more) => Array.from(root.querySelectorAll(
    ".wan-mount :is(button, input, select, textarea), #wan_actions button, button[id$=_upload]" + more))
    .filter((each) => !each.closest(".wan-hidden") && (each.textContent.trim() || each.tagName !== "SPAN"))"""

_UNEXPLAINED = f"""(root) => ({_CONTROLS})(root, ", summary, span[data-testid=block-info], .wan-label")
    .filter((each) => !each.closest("[title]:not([title=''])"))
    .map((each) => each.textContent.trim() || each.ariaLabel || each.id)"""

_NAMELESS = f"""(root) => ({_CONTROLS})(root, "")
    .filter((each) => !each.id && !Object.keys(each.dataset).length)
    .map((each) => each.textContent.trim() || each.ariaLabel || each.className)"""

_REPEATED = """(root) => {
    // gradio 3 gives an element and what it holds the same id.
    const named = Array.from(root.querySelectorAll("[id^=wan]"));
    const apart = (one, other) => !other.contains(one) && !one.contains(other);
    const again = named.filter((one) => named.some((other) => other.id === one.id && apart(one, other)));
    return again.map((each) => each.id);
}"""


def unexplained(root: Locator) -> list[str]:
    """The controls of the open page, folded away or not, that no tooltip explains."""
    return [str(label) for label in root.evaluate(_UNEXPLAINED)]


def nameless(root: Locator) -> list[str]:
    """The controls of the open page that neither an id nor another stable name tells from each other."""
    return [str(label) for label in root.evaluate(_NAMELESS)]


def repeated_ids(root: Locator) -> list[str]:
    """The tab's ids that several elements have."""
    return [str(each) for each in root.evaluate(_REPEATED)]
