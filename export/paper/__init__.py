"""The paper's experiment: a trained run, its streams beside CCSDS 123 and the shipped packages, its cost, its page.

Nothing else imports it.
"""
