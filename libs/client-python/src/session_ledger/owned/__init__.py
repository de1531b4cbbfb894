"""A session that this process owns: its lease, its renewals, and how it hears that it was lost.

Start reading in session.py; tenure.py is where a loss is decided.
"""
