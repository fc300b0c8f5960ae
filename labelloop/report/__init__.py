"""The report of a project: one page that needs no network, no script and no server.

Sections say what to show, charts draw it, the page puts it together. Where it is published is the business of
`tasks/report.py`.
"""

from __future__ import annotations

from labelloop.report.page import report_page
from labelloop.report.section import Source

__all__ = ["Source", "report_page"]
