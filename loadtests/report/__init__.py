"""From a Summary to the pages of a report. Nothing here measures or judges. Start reading at document.py."""
