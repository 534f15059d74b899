"""What exists: instructions, CSRs, causes, levels, operand fields, prices.  Nothing is executed
here.
"""
