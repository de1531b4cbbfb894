"""Keeps up with all sessions: each event once and in order, from a position on.

Start reading in follower.py; sequencer.py proves that nothing is missing.
"""
