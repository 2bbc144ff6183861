"""Pages for people: reads what the stages wrote, writes one self-contained HTML file."""

from textpipe.report.page import write_report

__all__ = ["write_report"]
