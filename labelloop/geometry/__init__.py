"""Where annotators drew: shapes, how alike two of them are, and which of several annotators' shapes are one object.

Places in, numbers out. What an agreement figure makes of them is in `labelloop.agreement`, how several shapes become
one in `labelloop.consensus`.
"""
