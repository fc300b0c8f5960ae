"""How far texts of a page stand out from their ground, for what a selector finds."""

from __future__ import annotations

# As text and ground are drawn: contrast of relative luminances (WCAG 2.2, success criterion 1.4.3).
CONTRASTS = """selector => {
    const light = colour => colour.match(/[\\d.]+/g).slice(0, 3).map(Number).map(c => c / 255)
        .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
        .reduce((sum, c, n) => sum + c * [0.2126, 0.7152, 0.0722][n], 0);
    const ground = element => {
        while (element && getComputedStyle(element).backgroundColor.endsWith(' 0)')) element = element.parentElement;
        return getComputedStyle(element || document.body).backgroundColor;
    };
    return [...document.querySelectorAll(selector)].map(element => {
        const both = [light(getComputedStyle(element).color), light(ground(element))].sort((a, b) => b - a);
        return (both[0] + 0.05) / (both[1] + 0.05);
    });
}"""
