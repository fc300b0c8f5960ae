"""Tallies: whole numbers from which the agreement of categories follows, kept from night to night.

What was counted of one round of units adds to what was counted of another, so that a night counts the answers to open
rounds only and still gives the figures of all answers.
"""
