"""One call to the ledger: what is sent, when it is sent again, and what an answer or its absence means.

Start reading in transport.py.
"""
