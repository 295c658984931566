"""The report as a static site: records in, pages of HTML out, each number linked down to its record.

No network: one style sheet, one script, both beside the pages; they work from file://.
"""
