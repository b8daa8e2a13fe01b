"""The report: tables, charts and examples from the files of the other stages, as HTML and Markdown."""
