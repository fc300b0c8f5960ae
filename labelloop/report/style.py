"""How the page looks: one column on a phone, two charts abreast on a desk, and plain on paper."""

from __future__ import annotations

from typing import Final

STYLE: Final = """
:root { --ink: #22303c; --soft: #5b6b79; --line: #dfe5ea; --page: #f6f8f9; --card: #fff; --alarm: #b64400;
        --accent: #0072b2; color-scheme: light dark; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6ebef; --soft: #a4b1bc; --line: #33414d; --page: #141b21; --card: #1d262e; --alarm: #ff9a5c;
          --accent: #6cc0f2; }
  svg { filter: invert(1) hue-rotate(180deg); }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
header, nav, main { max-width: 68rem; margin: 0 auto; padding: 0 1rem; }
header { padding-top: 2rem; }
h1 { margin: 0; font-size: 2rem; line-height: 1.15; letter-spacing: -0.01em; }
h2 { margin: 0 0 .25rem; font-size: 1.3rem; }
.project { margin: 0 0 .25rem; color: var(--accent); font-weight: 600; }
.lead { margin: .25rem 0 1rem; max-width: 46rem; color: var(--soft); }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1rem; margin: 0 0 1rem; padding: 0; list-style: none; }
a { color: var(--accent); }
a:focus-visible, .wide:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.skip { position: absolute; left: -100vw; padding: .5rem 1rem; background: var(--card); }
.skip:focus { left: 0; }
.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(10.5rem, 1fr)); gap: .75rem; margin: 0 0 1rem;
         padding: 0; list-style: none; }
.tile, section { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; }
.tile { display: flex; flex-direction: column; padding: .75rem 1rem; }
.tile strong { font-size: 1.6rem; line-height: 1.2; font-variant-numeric: tabular-nums; }
.name, .note { color: var(--soft); font-size: .85rem; }
.alarm { border-left: 4px solid var(--alarm); }
.alarm strong { color: var(--alarm); }
section { margin: 0 0 1rem; padding: 1.25rem 1rem; scroll-margin-top: 1rem; }
.charts { display: flex; flex-wrap: wrap; gap: 1rem 2rem; margin-bottom: 1rem; }
figure { margin: 0; max-width: 100%; }
figcaption { max-width: 28rem; color: var(--soft); font-size: .85rem; }
svg { display: block; max-width: 100%; height: auto; overflow: visible; }
.wide { overflow-x: auto; margin-top: 1rem; }
table { border-collapse: collapse; font-size: .9rem; }
caption { text-align: left; font-weight: 600; padding: .25rem 0; white-space: nowrap; }
th, td { padding: .3rem .9rem .3rem 0; text-align: left; vertical-align: top; white-space: nowrap; }
th, td { border-bottom: 1px solid var(--line); }
th { color: var(--soft); font-weight: 500; }
.number { font-variant-numeric: tabular-nums; }
.long { min-width: 18rem; white-space: normal; }
@media print { body { background: #fff; } .skip, nav { display: none; } section { break-inside: avoid; } }
"""
