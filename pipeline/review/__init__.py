"""The review of claims by people: the page, the verdicts, and what becomes of them."""
